//! A synchronous write: from encoded lines to as few requests as the limit allows, and one result.

use std::time::Duration;

use super::Batch;
#[cfg(feature = "gzip")]
use super::gzip::Frame;
use super::http::{Http, Post};
use super::target::Target;
use crate::config::Config;
use crate::line_protocol::text::line_ends;
use crate::record::RecordMap;
use crate::{Error, ErrorKind, LineError, Result};

/// The lines of one call.
pub(crate) struct Encoded {
    pub(crate) buffer: Vec<u8>,
    pub(crate) count: usize,
    /// Whether writing the lines twice changes nothing.
    pub(crate) repeatable: bool,
    pub(crate) map: RecordMap,
}

/// A part of the lines that goes as one request.
struct Part<'a> {
    bytes: &'a [u8],
    /// The number of lines before this part.
    first_line: usize,
    lines: usize,
}

/// Sends all lines, or says how far it came.
pub(crate) fn send(http: &Http, config: &Config, target: &Target, encoded: Encoded) -> Result<()> {
    if encoded.count == 0 {
        return Ok(());
    }
    let parts = cut(&encoded, config.max_request_bytes)?;
    let path_and_query = target.path_and_query();
    let mut written = 0;
    let mut partial: Option<Error> = None;
    let mut line_errors = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        match send_part(http, config, target, &path_and_query, part.bytes, encoded.repeatable) {
            Ok(()) => written += part.lines,
            Err(error) => {
                let located = locate(error.line_errors(), part, &encoded.map);
                // The good lines of the part are stored, so the parts behind it are as good as ever.
                if error.kind() == ErrorKind::PartialWrite {
                    // One line can have several errors.
                    let mut bad: Vec<_> = located.iter().map(LineError::line_number).collect();
                    bad.sort_unstable();
                    bad.dedup_by(|one, other| one.is_some() && one == other);
                    written += part.lines.saturating_sub(bad.len());
                    line_errors.extend(located);
                    partial.get_or_insert(error);
                } else {
                    line_errors.extend(located);
                    let unsent = parts[place..]
                        .iter()
                        .map(|part| target.batch(part.bytes.to_vec(), part.lines))
                        .collect();
                    return Err(error
                        .with_lines_written(written)
                        .with_line_errors(line_errors)
                        .with_unsent(mark_sent(unsent)));
                }
            }
        }
    }
    match partial {
        None => Ok(()),
        Some(error) => Err(error.with_lines_written(written).with_line_errors(line_errors)),
    }
}

/// Sends one part, compressed if it is large enough.
fn send_part(
    http: &Http,
    config: &Config,
    target: &Target,
    path_and_query: &str,
    bytes: &[u8],
    repeatable: bool,
) -> Result<()> {
    let timeout = target.timeout;
    #[cfg(feature = "gzip")]
    if config.gzip_threshold.is_some_and(|least| bytes.len() >= least)
        && let Some(segment) = http.gzip.compress(bytes, |_| true)
    {
        let frame = Frame::of([&segment]);
        let pieces = &[frame.header(), segment.blocks(), frame.trailer()];
        return post(
            http,
            target,
            path_and_query,
            &Body { pieces, gzip: true, repeatable, timeout },
        );
    }
    #[cfg(not(feature = "gzip"))]
    let _ = config;
    post(http, target, path_and_query, &Body { pieces: &[bytes], gzip: false, repeatable, timeout })
}

/// What goes as one request.
pub(super) struct Body<'a> {
    /// One behind the other.
    pub(super) pieces: &'a [&'a [u8]],
    /// Whether the pieces are compressed.
    pub(super) gzip: bool,
    /// Whether writing it twice changes nothing.
    pub(super) repeatable: bool,
    pub(super) timeout: Duration,
}

/// Makes one request.
pub(super) fn post(
    http: &Http,
    target: &Target,
    path_and_query: &str,
    body: &Body<'_>,
) -> Result<()> {
    let post = Post {
        path_and_query,
        body: body.pieces,
        gzip: body.gzip,
        headers: &target.headers,
        timeout: body.timeout,
        repeatable: body.repeatable,
    };
    http.write(&post, target.api)
}

/// Cuts the lines at line boundaries into parts of at most `limit` bytes.
fn cut(encoded: &Encoded, limit: usize) -> Result<Vec<Part<'_>>> {
    let buffer = &encoded.buffer;
    if buffer.len() <= limit {
        return Ok(vec![Part { bytes: buffer, first_line: 0, lines: encoded.count }]);
    }
    let mut parts = Vec::new();
    let (mut start, mut first_line) = (0, 0);
    let (mut end, mut line) = (0, 0);
    for line_end in line_ends(buffer) {
        if line_end - end > limit {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!(
                    "line {} has {} bytes and a request at most {limit} (max_request_bytes); nothing was sent",
                    line + 1,
                    line_end - end
                ),
            ));
        }
        if line_end - start > limit {
            parts.push(Part { bytes: &buffer[start..end], first_line, lines: line - first_line });
            (start, first_line) = (end, line);
        }
        (end, line) = (line_end, line + 1);
    }
    parts.push(Part { bytes: &buffer[start..end], first_line, lines: line - first_line });
    Ok(parts)
}

/// Gives line errors the numbers of the whole call, the whole lines, and the places of their records.
fn locate(errors: &[LineError], part: &Part<'_>, map: &RecordMap) -> Vec<LineError> {
    let mut ends: Option<Vec<usize>> = None;
    let mut located = Vec::with_capacity(errors.len());
    for error in errors {
        let number = error.line_number().filter(|&number| number <= part.lines);
        let Some(number) = number else {
            located.push(error.clone().with_line_number(None));
            continue;
        };
        let ends = ends.get_or_insert_with(|| line_ends(part.bytes).collect());
        let start = if number == 1 { 0 } else { ends[number - 2] };
        let line = String::from_utf8_lossy(&part.bytes[start..ends[number - 1]]);
        let whole = part.first_line + number;
        located.push(
            error
                .clone()
                .with_line_number(Some(whole))
                .with_line(Some(line.trim_end_matches('\n').to_owned()))
                .with_index(map.record_of(whole - 1)),
        );
    }
    located
}

/// Only the first of the batches was tried.
fn mark_sent(mut unsent: Vec<Batch>) -> Vec<Batch> {
    if let Some(first) = unsent.first_mut() {
        first.attempts = 1;
    }
    unsent
}
