//! What is to be done with the batches of a request, by its answer.

use crate::{Error, ErrorKind, Result};

/// What is to be done. There is one for every answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// All lines are stored.
    Done,
    /// All lines are stored but those at these places, from 0, ascending.
    Partial(Vec<usize>),
    /// The same batch may succeed later.
    Retry,
    /// Smaller batches may succeed where this one cannot.
    Split,
    /// Nothing of the batch can be stored.
    Fail,
}

/// Judges the result of a request of `lines` lines. `was_cut` says that a try before this one ended in a connection
/// that was closed without an answer.
pub(crate) fn judge(result: &Result<()>, lines: usize, was_cut: bool) -> Verdict {
    let Err(error) = result else { return Verdict::Done };
    let split = if lines > 1 { Verdict::Split } else { Verdict::Fail };
    match error.kind() {
        ErrorKind::PartialWrite => match bad_lines(error, lines) {
            Some(bad) => Verdict::Partial(bad),
            // Some lines are bad, and the answer does not say which. Sending the good ones again is harmless.
            None => split,
        },
        ErrorKind::TooLarge => split,
        // Twice: the server may break on one of the lines, or on the size. With one line, a restart is more likely.
        _ if error.was_cut() && was_cut && lines > 1 => Verdict::Split,
        _ if error.is_retryable() => Verdict::Retry,
        _ if error.hides_lines() => split,
        _ => Verdict::Fail,
    }
}

/// Whether an answer of this kind blames a batch of one line for what is in it.
pub(crate) fn blames_the_line(error: &Error) -> bool {
    error.kind() == ErrorKind::PartialWrite || error.hides_lines()
}

/// Whether an answer refuses a request as a whole for a line of it, which it names: of several batches the others
/// succeed without that one's.
pub(crate) fn names_a_line(error: &Error) -> bool {
    error.kind() == ErrorKind::Rejected && !error.line_errors().is_empty()
}

/// The places of the bad lines, if the answer gives all of them.
fn bad_lines(error: &Error, lines: usize) -> Option<Vec<usize>> {
    let mut bad = Vec::with_capacity(error.line_errors().len());
    for line in error.line_errors() {
        bad.push(line.line_number().filter(|number| (1..=lines).contains(number))? - 1);
    }
    bad.sort_unstable();
    bad.dedup();
    (!bad.is_empty()).then_some(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LineError;
    use crate::write::answer::{Answer, Api};

    fn answered(api: Api, status: u16, body: &str, lines: usize) -> Verdict {
        let body = body.as_bytes().to_vec();
        let answer = Answer { status, headers: Vec::new(), body, in_doubt: false };
        judge(&answer.into_write_result(api), lines, false)
    }

    #[test]
    fn every_answer_has_one_verdict() {
        const PARTIAL: &str = r#"{"error":"partial write of line protocol occurred","data":[
            {"error_message":"bad","line_number":3},{"error_message":"bad","line_number":1},
            {"error_message":"worse","line_number":3}]}"#;
        const REFUSED: &str = r#"{"error":"parsing failed for write_lp endpoint","data":{"error_message":"bad","line_number":2}}"#;
        const HIDDEN: &str = r#"{"code":"invalid","message":"write buffer error: parsing for line protocol failed"}"#;
        const NAMED: &str =
            r#"{"code":"invalid","line":2,"message":"failed to parse line protocol"}"#;
        let partial = Verdict::Partial(vec![0, 2]);
        for (api, status, body, lines, verdict) in [
            (Api::V2, 204, "", 9, Verdict::Done),
            (Api::V3, 400, PARTIAL, 9, partial.clone()),
            (Api::V3, 422, PARTIAL, 9, partial),
            (Api::V3, 400, PARTIAL, 2, Verdict::Split),
            (Api::V3, 400, REFUSED, 9, Verdict::Fail),
            (Api::V2, 400, HIDDEN, 9, Verdict::Split),
            (Api::V2, 400, HIDDEN, 1, Verdict::Fail),
            (Api::V2, 400, NAMED, 9, Verdict::Split),
            (Api::V2, 413, "", 9, Verdict::Split),
            (Api::V2, 413, "", 1, Verdict::Fail),
            (Api::V2, 500, "max request size (10485760 bytes) exceeded", 9, Verdict::Split),
            (Api::V2, 500, "error decoding gzip stream", 9, Verdict::Fail),
            (Api::V3, 400, "serde error: missing field `db`", 9, Verdict::Fail),
            (Api::V2, 401, "", 9, Verdict::Fail),
            (Api::V2, 302, "", 9, Verdict::Fail),
            (Api::V2, 404, "", 9, Verdict::Fail),
            (Api::V2, 408, "", 9, Verdict::Retry),
            (Api::V2, 429, "", 9, Verdict::Retry),
            (Api::V2, 500, "", 9, Verdict::Retry),
            (Api::V2, 501, "", 9, Verdict::Fail),
            (Api::V2, 503, "", 1, Verdict::Retry),
        ] {
            assert_eq!(answered(api, status, body, lines), verdict, "{status} {body}");
        }
    }

    #[test]
    fn a_connection_that_is_closed_twice_splits_the_batch() {
        let cut =
            || Error::new(ErrorKind::Connect, "closed").with_retryable(true).with_was_cut(true);
        assert_eq!(judge(&Err(cut()), 2, false), Verdict::Retry);
        assert_eq!(judge(&Err(cut()), 2, true), Verdict::Split);
        assert_eq!(judge(&Err(cut()), 1, true), Verdict::Retry, "it may be the server after all");
        let refused = Error::new(ErrorKind::Connect, "refused").with_retryable(true);
        assert_eq!(judge(&Err(refused), 1, true), Verdict::Retry);
    }

    #[test]
    fn a_partial_write_that_does_not_name_its_lines_is_searched() {
        let unnamed = LineError::new(None, "bad".into());
        let error =
            || Error::new(ErrorKind::PartialWrite, "").with_line_errors(vec![unnamed.clone()]);
        assert_eq!(judge(&Err(error()), 2, false), Verdict::Split);
        assert_eq!(judge(&Err(error()), 1, false), Verdict::Fail);
        assert!(blames_the_line(&error()));
    }
}
