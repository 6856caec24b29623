//! The arguments that every command has.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::amounts;

/// What every command knows.
#[derive(Args, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Common {
    /// The server, such as https://cluster.example.io or localhost:8181
    ///
    /// Or INFLUX_HOST, INFLUXDB3_HOST_URL, a profile's `host`; http://127.0.0.1:8181 if nothing says otherwise. Can be
    /// given several times, for servers that are one database: the next one is asked if one does not work.
    #[arg(short = 'H', long = "host", global = true, value_name = "URL")]
    pub(crate) hosts: Vec<String>,

    /// The server to write to, if it is another one
    ///
    /// Or INFLUX_WRITE_HOST, INFLUXDB3_WRITE_HOST_URL, a profile's `write-host`.
    #[arg(long = "write-host", global = true, value_name = "URL", hide_short_help = true)]
    pub(crate) write_hosts: Vec<String>,

    /// The server to query, if it is another one
    ///
    /// Or INFLUX_QUERY_HOST, INFLUXDB3_QUERY_HOST_URL, a profile's `query-host`.
    #[arg(long = "query-host", global = true, value_name = "URL", hide_short_help = true)]
    pub(crate) query_hosts: Vec<String>,

    /// The database
    ///
    /// Or INFLUX_DATABASE, INFLUXDB3_DATABASE_NAME, a profile's `database`.
    #[arg(short, long, global = true, value_name = "NAME")]
    pub(crate) database: Option<String>,

    /// A file that holds the token; - is standard input
    ///
    /// Or INFLUX_TOKEN_FILE; INFLUX_TOKEN, INFLUXDB3_AUTH_TOKEN (the token itself); a profile's `token-file` or
    /// `token-command`.
    #[arg(long, global = true, value_name = "FILE", conflicts_with_all = ["token_command", "token"])]
    pub(crate) token_file: Option<PathBuf>,

    /// A command that prints the token, such as 'pass show influx'
    #[arg(long, global = true, value_name = "COMMAND", conflicts_with = "token")]
    pub(crate) token_command: Option<String>,

    /// The token itself; everybody on this machine can read it here
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) token: Option<String>,

    /// A profile of the configuration file
    ///
    /// Or INFLUX3_PROFILE; else the one that the file calls `default`.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// The configuration file
    ///
    /// Or INFLUX3_CONFIG; else influx3/config.toml in $XDG_CONFIG_HOME, %APPDATA% or ~/.config.
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) config: Option<PathBuf>,

    /// Certificates to trust beside the usual ones (PEM)
    ///
    /// Or INFLUX_TLS_CA, INFLUXDB3_TLS_CA, a profile's `tls-ca`.
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) tls_ca: Option<PathBuf>,

    /// Trust the certificates of the system, in place of those that are built in
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) tls_native_roots: bool,

    /// Accept any certificate: whoever sits in between can read and change everything
    ///
    /// Or INFLUX_TLS_NO_VERIFY, INFLUXDB3_TLS_NO_VERIFY, a profile's `tls-no-verify`.
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) tls_no_verify: bool,

    /// A client certificate with its chain (PEM)
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        requires = "client_key",
        hide_short_help = true
    )]
    pub(crate) client_cert: Option<PathBuf>,

    /// The key of the client certificate (PEM)
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        requires = "client_cert",
        hide_short_help = true
    )]
    pub(crate) client_key: Option<PathBuf>,

    /// The proxy of all requests: http://…, https://… or socks5://…
    ///
    /// Or INFLUX_PROXY, a profile's `proxy`.
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub(crate) proxy: Option<String>,

    /// A header of every request
    #[arg(long = "header", global = true, value_name = "NAME: VALUE", hide_short_help = true)]
    pub(crate) headers: Vec<String>,

    /// How long a write request may take (30s if it is not given), and how long a query waits for data (no limit)
    ///
    /// Such as 500ms, 30s or 5m. Or a profile's `timeout`.
    #[arg(long, global = true, value_parser = amounts::duration, value_name = "TIME")]
    pub(crate) timeout: Option<Duration>,

    /// Say nothing but errors
    #[arg(short, long, global = true, help_heading = "Options")]
    pub(crate) quiet: bool,

    /// Report an error as JSON on standard error
    #[arg(long, global = true, help_heading = "Options")]
    pub(crate) json_errors: bool,
}
