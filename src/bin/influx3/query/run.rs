//! A query from its text to the end of its answer.

use std::io::Write as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use influxdb3_blocking::{Client, Param};

use super::arguments::{Arguments, Language};
use super::destination::Destination;
use super::formats::{self, Format};
use super::output::Shown;
use super::{schema, stats, text};
use crate::arguments::Common;
use crate::connection::Settings;
use crate::failure::Failure;
#[cfg(not(feature = "parquet"))]
use crate::features::Feature;
use crate::{amounts, interrupt, terminal};

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Query<'a> {
    pub(crate) text: &'a str,
    pub(crate) language: Language,
    pub(crate) params: &'a [(String, Param)],
    #[cfg(feature = "parquet")]
    pub(crate) over_http: bool,
    pub(crate) max_retries: u32,
    /// Only the columns.
    pub(crate) schema: bool,
}

/// How much it was, and how long it took.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) rows: u64,
    pub(super) batches: u64,
    pub(super) bytes: u64,
    pub(super) first: Duration,
    pub(crate) elapsed: Duration,
    pub(super) server: influxdb3_blocking::QueryStats,
}

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
    let came = sent.map_err(|sent| sent.explain(&settings))?;
    if arguments.stats && !arguments.schema {
        // Told beside the data.
        let _ = write!(std::io::stderr().lock(), "{}", stats::text(&came));
    }
    Ok(())
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    Error(influxdb3_blocking::Error),
    Failure(Failure),
}

impl Unanswered {
    pub(crate) fn explain(self, settings: &Settings) -> Failure {
        match self {
            Self::Error(error) => settings.explain(error),
            Self::Failure(failure) => failure,
        }
    }
}

impl From<influxdb3_blocking::Error> for Unanswered {
    fn from(error: influxdb3_blocking::Error) -> Self {
        Self::Error(error)
    }
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Sends a query and writes its answer; a signal cancels it.
pub(crate) fn send(
    client: &Client,
    query: &Query<'_>,
    format: Format,
    shown: Shown,
    out: Destination,
    is_watched: bool,
) -> Result<Came, Unanswered> {
    let started = Instant::now();
    let mut request = client
        .query(query.text)
        .language(query.language.into())
        .params(query.params.iter().cloned())
        .retries(query.max_retries);
    #[cfg(feature = "parquet")]
    {
        request = request.over_http(query.over_http);
    }
    let bar = is_watched.then(spinner);
    let cancel = request.cancel_handle();
    let _caught = interrupt::instead(move || cancel.cancel());
    if query.schema {
        let schema = request.schema()?;
        schema::print(&schema, format, shown, out)?;
        return Ok(Came::nothing(started.elapsed()));
    }
    if let Some(bar) = bar.clone() {
        request = request.progress(move |progress| {
            let size = amounts::size(progress.bytes_received);
            bar.set_message(format!("{}, {size}", amounts::counted(progress.rows, "row")));
        });
    }
    let mut reader = request.reader()?;
    // A table shows both ends, everything else the first rows.
    let most = shown.max_rows.filter(|_| format != Format::Pretty);
    let mut output = formats::open(format, &reader.schema(), shown, out)?;
    let mut first = None;
    let (mut rows, mut is_cut) = (0, false);
    for batch in reader.by_ref() {
        let batch = batch.map_err(influxdb3_blocking::Error::from)?;
        first.get_or_insert_with(|| started.elapsed());
        let left = most.map_or(u64::MAX, |most| most - rows);
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(batch.num_rows());
        rows += take as u64;
        output.batch(&batch.slice(0, take))?;
        if Some(rows) == most {
            is_cut = true;
            break;
        }
    }
    output.finish()?;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let progress = reader.progress();
    let elapsed = started.elapsed();
    Ok(Came {
        rows,
        batches: progress.batches,
        bytes: progress.bytes_received,
        first: first.unwrap_or(elapsed),
        elapsed,
        server: if is_cut { Default::default() } else { reader.stats().unwrap_or_default() },
    })
}

impl Came {
    fn nothing(elapsed: Duration) -> Self {
        let server = Default::default();
        Self { rows: 0, batches: 0, bytes: 0, first: elapsed, elapsed, server }
    }
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template("{spinner} {msg}  {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// How many rows of a table a terminal shows.
const ROWS_ON_TERMINAL: u64 = 40;
