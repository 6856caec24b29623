//! The errors of lines that the server rejects while it stores others.

use crate::line_protocol::text::line_ends;
use crate::write::batching::batch::{LineSubset, SEARCH_REQUESTS};
use crate::{Error, LineError};

/// The error of one batch, of several in a request, whose bad lines the server named. `told` are its reasons in order,
/// `bad` are these lines, and `written` is the number of the batch's lines that are stored.
pub(crate) fn error_of_bad_lines(
    error: &Error,
    told: Vec<LineError>,
    bad: &LineSubset,
    written: usize,
) -> Error {
    let lines = line_ends(bad.bytes()).scan(0, |start, end| {
        let line = &bad.bytes()[std::mem::replace(start, end)..end];
        Some(String::from_utf8_lossy(line).trim_end_matches('\n').to_owned())
    });
    // The number is that in the request, which no caller knows.
    let named = told.into_iter().zip(lines);
    let named = named.map(|(told, line)| told.with_line_number(None).with_line(Some(line)));
    error.duplicate().with_lines_written(written).with_line_errors(named.collect())
}

/// The error of a request of one line, which so is about this line, whether the answer names it or not.
pub(crate) fn error_of_bad_line(error: Error, line: &[u8]) -> Error {
    let told = error.line_errors().first().map(|line| line.message().to_owned());
    let advice = told.is_none().then_some(SAYS_WHY);
    let said = error.message().to_owned();
    let line = String::from_utf8_lossy(line).trim_end_matches('\n').to_owned();
    let line_error = LineError::new(None, told.unwrap_or_else(|| said.clone()));
    let error = error.with_line_errors(vec![line_error.with_line(Some(line))]);
    if !error.hides_lines() {
        return error;
    }
    // The message says that no line of the request is stored, which is not so for the others of the batch.
    let message = format!(
        "bad lines were not stored; the others of their batch are sent without them ({said})"
    );
    error.with_message(message).with_advice(advice)
}

/// The error of lines that are given up, as bad ones among them were not found in [`SEARCH_REQUESTS`] cuts.
pub(crate) fn gave_up(error: &Error) -> Error {
    let error = error.duplicate().in_context(&format!(
        "after {SEARCH_REQUESTS} cuts of one batch there are still bad lines among these, which is too many to search for \
         them one by one"
    ));
    error.with_advice(Some(NAMES_LINES))
}

const SAYS_WHY: &str = "with use_v2_api(false) the server says what is wrong with a line";

const NAMES_LINES: &str =
    "none of these is stored. With use_v2_api(false) the server names the bad lines";
