//! `influx3 ping`.

use std::io::Write as _;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use crate::amounts;
use crate::common::Common;
use crate::connection::{Purpose, Settings};
use crate::failure::Failure;

/// Asks the server for its version
///
/// The host for writes is asked (GET /ping). Some servers check the token for this, others do not.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  influx3 ping
  influx3 ping --host https://cluster.example.io --token-file token --json")]
pub(crate) struct Arguments {
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let settings = Settings::resolve(common)?;
    let client = settings.builder()?.build()?;
    let started = Instant::now();
    let version =
        client.server_version().map_err(|error| settings.explain(error, Purpose::Write))?;
    let elapsed = started.elapsed();
    let host = settings.shown_hosts(Purpose::Write);
    let text = match arguments.json {
        true => {
            let seconds = elapsed.as_secs_f64();
            json!({ "host": host, "version": version, "seconds": seconds }).to_string()
        }
        false => format!("{host}: InfluxDB {version}, {}", amounts::time(elapsed)),
    };
    writeln!(std::io::stdout().lock(), "{text}")
        .map_err(|error| Failure::io("standard output", &error))
}
