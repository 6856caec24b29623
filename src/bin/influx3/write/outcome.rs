//! The summary and the failures at the end of a write, whether its lines went to the server or to a spool.

use std::io::Write as _;

use influxdb3_blocking::{Error, ErrorKind};

use super::inputs::Input;
use super::report::Report;
use crate::connection::{Purpose, Settings};
use crate::failure::{Exit, Failure};
use crate::terminal::quoted;
use crate::{amounts, interrupt};

/// Prints the summary of a write.
pub(super) fn tell(report: &Report, as_json: bool, is_quiet: bool) -> Result<(), Failure> {
    if as_json {
        let text = format!("{}\n", report.to_json());
        let mut out = std::io::stdout().lock();
        let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        printed.map_err(|error| Failure::io("standard output", &error))?;
    } else if !is_quiet {
        eprintln!("influx3: {}", report.text());
        if let Some(waiting) = report.waiting() {
            eprintln!("influx3: {waiting}");
        }
    }
    if let Some(damaged) = report.damaged() {
        eprintln!("influx3: warning: {damaged}");
    }
    if !is_quiet {
        for (file, row) in report.skipped_rows().take(SHOWN) {
            eprintln!("  {file}: left out: {}", row.reason);
        }
    }
    Ok(())
}

/// The failure of a write that ended before all inputs were written.
///
/// `place` is the input at which it ended, of which `resume` lines are settled, where that is known; `done` is how many
/// lines of all inputs are written.
pub(super) fn stopped(
    inputs: &[Input],
    place: usize,
    error: Error,
    resume: Option<usize>,
    done: u64,
    settings: &Settings,
) -> Failure {
    let is_interrupt =
        interrupt::is_caught() && matches!(error.kind(), ErrorKind::Closed | ErrorKind::File);
    let failure = match is_interrupt {
        true => Failure::interrupted("interrupted"),
        false => settings.explain(error, Purpose::Write),
    };
    let exit = match (is_interrupt, done) {
        (true, _) => Exit::Interrupted,
        (false, 0) => failure.exit(),
        (false, _) => Exit::Partial,
    };
    let failure = failure.with_exit(exit).with_detail("lines_written", done);
    let Some((line, (input, following))) =
        resume.zip(inputs.get(place..).and_then(<[_]>::split_first))
    else {
        return failure;
    };
    let left: Vec<_> = following.iter().map(Input::to_string).collect();
    let failure = failure.with_detail("resume_from", line).with_detail("files_left", left);
    let lines = lines_of(line as u64);
    let names = || named(input, following);
    failure.with_advice(match input {
        _ if line == 0 && place == 0 => format!("nothing of {input} is written"),
        _ if line == 0 => format!("nothing of {input} is written: go on with {}", names()),
        Input::File { .. } => format!(
            "done are the first {lines} of {input}: go on with --resume-from {line} {}",
            names()
        ),
        Input::Stdin { .. } => format!(
            "done are the first {lines} of standard input: send all of it again with --resume-from {line} {}",
            names()
        ),
    })
}

/// Inputs as arguments of the command.
fn named(input: &Input, following: &[Input]) -> String {
    let argument = |input: &Input| match input {
        Input::File { path, .. } => quoted(path),
        Input::Stdin { .. } => "-".to_owned(),
    };
    let mut text = argument(input);
    if following.len() > NAMED {
        text.push_str(&format!(" and the {} files behind it", following.len()));
        return text;
    }
    for input in following {
        text.push(' ');
        text.push_str(&argument(input));
    }
    text
}

pub(super) fn lines_of(count: u64) -> String {
    amounts::counted(count, "line")
}

/// How many refused lines and skipped rows are shown.
pub(super) const SHOWN: usize = 5;
/// How many files are named that were not begun.
const NAMED: usize = 5;
