//! Where the examples write to: the server that the environment names, or one in the process.

use std::io;

use influxdb3_blocking::ClientBuilder;
use influxdb3_dev_server::DevServer;

/// The builder with its host, and the server that lives as long as it is held. With `INFLUX_HOST` set (and
/// `INFLUX_TOKEN`, `INFLUX_DATABASE` if need be) there is none: the example talks to that host.
pub(crate) fn find(builder: ClientBuilder) -> io::Result<(ClientBuilder, Option<DevServer>)> {
    let builder = builder.database("sensors");
    if std::env::var_os("INFLUX_HOST").is_some() {
        return Ok((builder.with_env(), None));
    }
    let server = DevServer::start()?;
    Ok((builder.host(server.url()), Some(server)))
}
