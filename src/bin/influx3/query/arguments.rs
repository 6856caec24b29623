//! What can be said about a query.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use influxdb3_blocking::{Param, Precision, Timestamp};

use super::formats::Format;
use crate::features::Feature;

/// Sends a query and prints its answer, or puts it into a file
///
/// Rows are printed as they come, in as much memory as a part of them takes. As a table (pretty), what is shown is
/// held: on a terminal the first and the last rows of any number.
#[derive(Args, Debug)]
#[command(
    visible_alias = "q",
    after_help = "\
Examples:
  influx3 query -d sensors 'SELECT * FROM home ORDER BY time DESC LIMIT 10'
  influx3 query -d sensors -l influxql 'SHOW MEASUREMENTS'
  influx3 query -d sensors 'SELECT * FROM home WHERE room = $room' --param room=Kitchen
  influx3 query -d sensors 'SELECT * FROM home' -o home.parquet
  influx3 query -d sensors 'SELECT * FROM home' --format jsonl | jq .temp
  influx3 query -d sensors 'SELECT * FROM home' --format lp --measurement home |
    influx3 write -d backup -
  echo 'SELECT 1' | influx3 query -d sensors -"
)]
pub(crate) struct Arguments {
    /// The query; - is standard input
    #[arg(conflicts_with = "file")]
    pub(super) query: Option<String>,

    /// A file that holds the query
    #[arg(short, long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,

    /// Its language
    #[arg(short, long, value_enum, default_value = "sql")]
    pub(super) language: Language,

    /// How the answer is shown; otherwise as the name of the file says, or as a table
    #[arg(long, value_enum)]
    pub(super) format: Option<Format>,

    /// A file for the answer; it takes this name when the answer is complete
    #[arg(short, long = "output", value_name = "FILE")]
    pub(super) out: Option<PathBuf>,

    /// The value of $NAME: a number, true, false, null, a time such as 2024-01-01T00:00:00Z, or a text (in double
    /// quotes if it looks like one of these)
    #[arg(short, long = "param", value_name = "NAME=VALUE", value_parser = param)]
    pub(super) params: Vec<(String, Param)>,

    /// The most rows of the answer, also in a file; 0 is no limit
    ///
    /// Of a table (pretty) the first and the last of all rows are shown. The limit is 40 for a table on a terminal if
    /// it is not given, and otherwise there is none.
    #[arg(long, value_name = "N")]
    pub(super) max_rows: Option<u64>,

    /// Show the columns of the answer and no rows
    #[arg(long)]
    pub(super) schema: bool,

    /// Tell on standard error how much it was, how long it took, and what the server says
    #[arg(long, conflicts_with = "schema")]
    pub(super) stats: bool,

    /// The measurement of line protocol, if no column `iox::measurement` names it
    #[arg(short, long, value_name = "NAME")]
    pub(super) measurement: Option<String>,

    /// The unit of times in line protocol
    #[arg(long, value_name = "UNIT", value_parser = unit, default_value = "ns")]
    pub(super) precision: Precision,

    /// Ask over HTTP/1.1, where a network does not pass HTTP/2
    #[arg(long, hide = !Feature::Parquet.is_on())]
    pub(super) over_http: bool,

    /// How often it is sent again while the server is not reachable, overloaded, or answers 429, 502, 503 or 504
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) max_retries: u32,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Language {
    Sql,
    #[value(name = "influxql")]
    InfluxQl,
}

impl From<Language> for influxdb3_blocking::Language {
    fn from(language: Language) -> Self {
        match language {
            Language::Sql => Self::Sql,
            Language::InfluxQl => Self::InfluxQl,
        }
    }
}

fn param(text: &str) -> Result<(String, Param), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let name = name.strip_prefix('$').unwrap_or(name);
    let param = match serde_json::from_str::<serde_json::Value>(value) {
        Ok(serde_json::Value::Null) => None::<i64>.into(),
        Ok(serde_json::Value::Bool(value)) => value.into(),
        Ok(serde_json::Value::String(value)) => value.into(),
        Ok(serde_json::Value::Number(number)) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => value.into(),
            (None, Some(value)) => value.into(),
            (None, None) => number.as_f64().map_or_else(|| value.into(), Into::into),
        },
        _ => match value.parse::<Timestamp>() {
            Ok(time) if value.contains(':') => time.into(),
            _ => value.into(),
        },
    };
    Ok((name.to_owned(), param))
}

fn unit(text: &str) -> Result<Precision, String> {
    text.parse().map_err(|_| format!("{text:?} is no unit: there are ns, us, ms and s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_what_it_looks_like() {
        for (text, expected) in [
            ("a=1", Param::from(1_i64)),
            ("a=1.5", 1.5.into()),
            ("a=true", true.into()),
            ("a=null", None::<i64>.into()),
            ("a=Kitchen", "Kitchen".into()),
            ("a=\"1\"", "1".into()),
            ("a=b=c", "b=c".into()),
            ("$a=", "".into()),
            ("a=18446744073709551615", u64::MAX.into()),
            ("a=2022-01-01T08:00:00Z", Timestamp::seconds(1_641_024_000).into()),
        ] {
            assert_eq!(param(text), Ok(("a".to_owned(), expected)), "{text}");
        }
        assert!(param("a").is_err());
    }
}
