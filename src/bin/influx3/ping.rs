//! `influx3 ping`.

use std::io::Write as _;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use crate::amounts;
use crate::arguments::Common;
use crate::connection::Settings;
use crate::failure::Failure;

/// Asks whether the server is there and takes the token
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
    let version = client.server_version().map_err(|error| settings.explain(error))?;
    let elapsed = started.elapsed();
    let host = &settings.host.value;
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
