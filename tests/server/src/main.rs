//! The dev server as a program, for a person who wants to try a client or the examples.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use influxdb3_dev_server::{DevServer, DevServerBuilder};

const HELP: &str = "\
A small InfluxDB 3 for development: writes over HTTP, SQL over Arrow Flight and HTTP, data in memory only.

Usage: influxdb3-dev-server [OPTIONS]

Options:
  --port PORT        port to listen on [default: 8181]; 0 takes a free one
  --host ADDRESS     IP address to listen on [default: 127.0.0.1]
  --release RELEASE  answer as InfluxDB 3 Core 3.6 or 3.12 [default: 3.6]
  --token TOKEN      ask every request for this token [default: no authentication]
  --tls-cert FILE    serve TLS with this certificate chain (PEM); needs --tls-key
  --tls-key FILE     private key of the certificate (PEM)
  --wal-flush-interval TIME
                     answer durable writes this often, as a real server does
                     every second: 100ms, 1s [default: 0s, each at once]
  --help             print this
";

const FLAGS: [&str; 7] =
    ["--port", "--host", "--release", "--token", "--tls-cert", "--tls-key", "--wal-flush-interval"];

fn main() -> ExitCode {
    match run(env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("influxdb3-dev-server: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(args: impl Iterator<Item = OsString>) -> Result<(), String> {
    let Some(builder) = parse(args)? else {
        return print(HELP);
    };
    let server = builder.start().map_err(|error| format!("cannot start: {error}"))?;
    print(&format!("{}\n", server.url()))?;
    server.wait();
    Ok(())
}

/// Settings from the command line, or none if it asks for help.
fn parse(mut args: impl Iterator<Item = OsString>) -> Result<Option<DevServerBuilder>, String> {
    let mut builder = DevServer::builder().port(8181);
    let (mut cert, mut key) = (None, None);
    while let Some(flag) = args.next() {
        let flag = flag.to_string_lossy().into_owned();
        // `--flag=value` is as good as `--flag value`.
        let (name, inline) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(OsString::from(value))),
            None => (flag.as_str(), None),
        };
        if matches!(name, "--help" | "-h") {
            return Ok(None);
        }
        if !FLAGS.contains(&name) {
            return Err(format!("unknown argument '{name}'; try --help"));
        }
        let value =
            inline.or_else(|| args.next()).ok_or_else(|| format!("{name} needs a value"))?;
        let text = value.to_string_lossy();
        builder = match name {
            "--port" => builder.port(
                text.parse().map_err(|_| format!("--port: '{text}' is no port (0 to 65535)"))?,
            ),
            "--host" => builder
                .host(text.parse().map_err(|_| format!("--host: '{text}' is no IP address"))?),
            "--release" => builder.version(text),
            "--token" if text.is_empty() => return Err("--token: empty".to_owned()),
            "--token" => builder.token(text),
            "--wal-flush-interval" => builder.wal_flush_interval(interval(&text)?),
            "--tls-cert" => {
                cert = Some(read(name, &value)?);
                builder
            }
            _ => {
                key = Some(read(name, &value)?);
                builder
            }
        };
    }
    match (cert, key) {
        (None, None) => Ok(Some(builder)),
        (Some(cert), Some(key)) => Ok(Some(builder.tls(cert, key))),
        _ => Err("--tls-cert and --tls-key go together".to_owned()),
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let parsed = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(millis), _) => millis.parse().ok().map(Duration::from_millis),
        (_, Some(seconds)) => seconds.parse().ok().map(Duration::from_secs),
        _ => None,
    };
    parsed.ok_or_else(|| format!("--wal-flush-interval: '{text}' is no time like 100ms or 1s"))
}

fn read(flag: &str, path: &OsString) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{flag}: {}: {error}", path.to_string_lossy()))
}

/// Prints the line and flushes it: a parent process may wait for it in a pipe.
fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| format!("cannot print: {error}"))
}
