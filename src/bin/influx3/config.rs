//! `influx3 config`.

use std::fmt::Display;
use std::io::Write as _;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::common::Common;
use crate::connection::{EXAMPLE, KEYS, Setting, Settings, redacted};
use crate::failure::Failure;
use crate::terminal::{aligned, escaped};

/// Shows what is in force, and where each value comes from
///
/// Flags win over the variables of this program's library, these over the variables of the server's own command line,
/// and these over the profile. Secrets are not shown.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  influx3 config
  influx3 config --profile plant --json
  influx3 config --example > ~/.config/influx3/config.toml")]
pub(crate) struct Arguments {
    /// Print it as JSON
    #[arg(long)]
    json: bool,

    /// Print a configuration file to start from
    #[arg(long, conflicts_with = "json")]
    example: bool,
}

pub(crate) fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let text = match arguments.example {
        true => {
            debug_assert!(KEYS.iter().all(|key| EXAMPLE.contains(key)));
            EXAMPLE.to_owned()
        }
        false => {
            let settings = Settings::resolve(common)?;
            // Fails if a client could not be built of it.
            settings.check()?;
            if arguments.json { format!("{}\n", to_json(&settings)) } else { to_text(&settings) }
        }
    };
    let mut out = std::io::stdout().lock();
    let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    printed.map_err(|error| Failure::io("standard output", &error))
}

/// Name, value and source of each.
fn rows(settings: &Settings) -> Vec<(&'static str, String, String)> {
    fn row<T: Display>(
        name: &'static str,
        setting: Option<&Setting<T>>,
    ) -> (&'static str, String, String) {
        match setting {
            Some(Setting { value, origin }) => {
                (name, escaped(&value.to_string()), origin.to_string())
            }
            None => (name, String::new(), String::new()),
        }
    }
    let path =
        settings.tls_ca.clone().map(|setting| setting.map(|path| path.display().to_string()));
    let proxy = settings.proxy.clone().map(|setting| setting.map(|proxy| redacted(&proxy)));
    let hosts = |hosts: &Setting<String>| {
        let each = |hosts: String| hosts.split(',').map(redacted).collect::<Vec<_>>().join(",");
        hosts.clone().map(each)
    };
    let host = hosts(&settings.host);
    let timeout = settings.timeout.clone().map(|setting| setting.map(|time| format!("{time:?}")));
    let mut rows = vec![row("host", Some(&host))];
    for (name, host) in [("write-host", &settings.write_host), ("query-host", &settings.query_host)]
    {
        if let Some(host) = host {
            rows.push(row(name, Some(&hosts(host))));
        }
    }
    rows.extend([
        row("database", settings.database.as_ref()),
        row("token", settings.token.as_ref()),
        row("timeout", timeout.as_ref()),
        row("proxy", proxy.as_ref()),
        row("tls-ca", path.as_ref()),
        row("tls-native-roots", Some(&settings.tls_native_roots)),
        row("tls-no-verify", Some(&settings.tls_no_verify)),
    ]);
    for name in OTHER_VARIABLES {
        if let Ok(value) = std::env::var(name)
            && !value.is_empty()
        {
            rows.push((name, escaped(&value), (*name).to_owned()));
        }
    }
    rows
}

fn to_text(settings: &Settings) -> String {
    let rows = rows(settings);
    let names = aligned(rows.iter().map(|(name, ..)| (*name).to_owned()).collect());
    let value = |(_, value, origin): &(&str, String, String)| match origin.is_empty() {
        true => "(not set)".to_owned(),
        false => value.clone(),
    };
    let values = aligned(rows.iter().map(value).collect());
    let mut text = String::new();
    for ((name, value), (.., origin)) in names.iter().zip(values).zip(&rows) {
        let line = format!("{name}  {value}  {origin}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let file = match &settings.config_file {
        Some(path) => path.display().to_string(),
        None => "none; influx3 config --example prints one to start from".to_owned(),
    };
    text.push_str(&format!("\nconfiguration file: {file}\n"));
    if !settings.profiles.is_empty() {
        let mark = |name: &String| match settings.profile.as_ref() == Some(name) {
            true => format!("{name} (in force)"),
            false => name.clone(),
        };
        let names: Vec<_> = settings.profiles.iter().map(mark).collect();
        text.push_str(&format!("profiles: {}\n", names.join(", ")));
    }
    text
}

fn to_json(settings: &Settings) -> Value {
    let mut values = Map::new();
    for (name, value, from) in rows(settings) {
        let value = match from.is_empty() {
            true => Value::Null,
            false => json!({ "value": value, "from": from }),
        };
        values.insert(name.to_owned(), value);
    }
    json!({
        "settings": values,
        "config_file": settings.config_file,
        "profile": settings.profile,
        "profiles": settings.profiles,
    })
}

/// Other variables that the library reads.
const OTHER_VARIABLES: &[&str] = &[
    "INFLUX_ORG",
    "INFLUX_AUTH_SCHEME",
    "INFLUX_PRECISION",
    "INFLUX_GZIP_THRESHOLD",
    "INFLUX_WRITE_NO_SYNC",
    "INFLUX_WRITE_ACCEPT_PARTIAL",
    "INFLUX_WRITE_USE_V2_API",
    "INFLUX_CONNECT_TIMEOUT",
    "INFLUX_WRITE_TIMEOUT",
    "INFLUX_QUERY_TIMEOUT",
    "INFLUX_PROXY_FROM_ENV",
    "INFLUX_TLS_SERVER_NAME",
];
