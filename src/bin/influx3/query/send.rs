//! A query from its text to the end of its answer.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use influxdb3_blocking::{Client, Param};

use super::arguments::Language;
use super::destination::Destination;
use super::formats::{self, Format};
use super::output::Shown;
use super::schema;
use super::stats::Totals;
use crate::connection::{Purpose, Settings};
use crate::failure::Failure;
use crate::{amounts, interrupt};

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

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    Error(influxdb3_blocking::Error),
    Failure(Failure),
}

impl Unanswered {
    pub(crate) fn explain(self, settings: &Settings) -> Failure {
        match self {
            Self::Error(error) => settings.explain(error, Purpose::Query),
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
) -> Result<Totals, Unanswered> {
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
        return Ok(Totals::nothing(started.elapsed()));
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
    Ok(Totals {
        rows,
        batches: progress.batches,
        bytes: progress.bytes_received,
        first: first.unwrap_or(elapsed),
        elapsed,
        server: (!is_cut).then(|| reader.stats().unwrap_or_default()),
    })
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template("{spinner} {msg}  {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
