//! The command: builds a query from the arguments, sends it, and prints the statistics.

use std::io::Write as _;

use super::arguments::Arguments;
use super::destination::Destination;
use super::formats::Format;
use super::output::Shown;
use super::send::{Query, send};
use super::{stats, text};
use crate::common::Common;
use crate::connection::Settings;
use crate::failure::Failure;
#[cfg(not(feature = "parquet"))]
use crate::features::Feature;
use crate::terminal;

pub(crate) fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let settings = Settings::resolve(common)?;
    let format = match (arguments.format, &arguments.out) {
        (Some(format), _) => format,
        (None, Some(path)) => Format::of(path)?.unwrap_or(Format::Pretty),
        (None, None) => Format::Pretty,
    };
    format.check()?;
    #[cfg(not(feature = "parquet"))]
    if arguments.over_http {
        return Err(Feature::Parquet.refusal("--over-http"));
    }
    let text = text::text(arguments, settings.needs_stdin())?;
    settings.database()?;
    let out = match &arguments.out {
        Some(path) if path.as_os_str() != "-" => Destination::file(path)?,
        _ => Destination::stdout(),
    };
    if format.is_binary() && out.is_terminal() {
        return Err(Failure::usage(format!("{format} is not for a terminal"))
            .with_advice("put it into a file with --output FILE, or send it on with |"));
    }
    let usual_rows = (format == Format::Pretty && out.is_terminal()).then_some(ROWS_ON_TERMINAL);
    let shown = Shown {
        max_rows: arguments.max_rows.or(usual_rows).filter(|rows| *rows > 0),
        width: if out.is_stdout() { terminal::width() } else { None },
        measurement: arguments.measurement.clone(),
        precision: arguments.precision,
    };
    let query = Query {
        text: &text,
        language: arguments.language,
        params: &arguments.params,
        #[cfg(feature = "parquet")]
        over_http: arguments.over_http,
        max_retries: arguments.max_retries,
        schema: arguments.schema,
    };
    let is_watched = !common.quiet && !out.is_terminal() && terminal::can_animate();
    let client = settings.builder()?.build()?;
    let sent = send(&client, &query, format, shown, out, is_watched);
    let totals = sent.map_err(|sent| sent.explain(&settings))?;
    if arguments.stats {
        // On standard error, as standard output is for data.
        let _ = write!(std::io::stderr().lock(), "{}", stats::text(&totals));
    }
    Ok(())
}

/// How many rows of a table a terminal shows.
const ROWS_ON_TERMINAL: u64 = 40;
