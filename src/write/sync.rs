//! A synchronous write: from encoded lines to as few requests as the limit allows, and one result.

use std::collections::VecDeque;
use std::time::Duration;

#[cfg(feature = "gzip")]
use super::gzip::GzipMember;
use super::http::{Http, Post};
use super::target::Target;
use crate::config::Config;
use crate::line_protocol::text::line_ends;
use crate::record::RecordMap;
use crate::{Batch, Error, ErrorKind, LineError, Result};

/// The lines of one call.
pub(crate) struct EncodedLines {
    pub(crate) buffer: Vec<u8>,
    pub(crate) count: usize,
    /// Whether writing the lines twice changes nothing.
    pub(crate) repeatable: bool,
    pub(crate) map: RecordMap,
}

/// A part of the lines that goes as one request.
struct RequestPart<'a> {
    bytes: &'a [u8],
    /// The number of lines before this part.
    first_line: usize,
    lines: usize,
    /// How many times its lines were sent, in larger parts.
    sent: u32,
}

/// Sends all lines. An error has the number of lines that were written and the lines that were not.
///
/// `most` is the most bytes of a request of several lines. It is halved when the server, or a proxy in front of it, refuses
/// a request as too large; that request is then cut.
pub(crate) fn send(
    http: &Http,
    config: &Config,
    target: &Target,
    encoded: EncodedLines,
    most: &mut usize,
) -> Result<()> {
    if encoded.count == 0 {
        return Ok(());
    }
    check_lines(&encoded.buffer, config.max_request_bytes)?;
    let all = RequestPart { bytes: &encoded.buffer, first_line: 0, lines: encoded.count, sent: 0 };
    let mut parts = VecDeque::from(all.cut(*most));
    let path_and_query = target.path_and_query();
    let mut written = 0;
    let mut partial: Option<Error> = None;
    let mut line_errors = Vec::new();
    while let Some(mut part) = parts.pop_front() {
        let result =
            send_part(http, config, target, &path_and_query, part.bytes, encoded.repeatable);
        part.sent += 1;
        match result {
            Ok(()) => written += part.lines,
            Err(error) if error.kind() == ErrorKind::TooLarge && part.lines > 1 => {
                *most = part.bytes.len() / 2;
                log::warn!(
                    "a request of {} bytes is cut into smaller ones: {error}",
                    part.bytes.len()
                );
                // The next ones would be refused as well.
                parts.push_front(part);
                parts = parts.into_iter().flat_map(|part| part.cut(*most)).collect();
            }
            Err(error) => {
                let located = locate(error.line_errors(), &part, &encoded.map);
                // The good lines of the part are stored; the parts after it are sent as well.
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
                    let unsent = [part].into_iter().chain(parts).map(|part| part.batch(target));
                    return Err(error
                        .with_lines_written(written)
                        .with_line_errors(line_errors)
                        .with_unsent(unsent.collect()));
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
        && let Some(blocks) = http.gzip.compress(bytes, |_| true)
    {
        let member = GzipMember::of([&blocks]);
        let pieces = &[member.header(), blocks.blocks(), member.trailer()];
        return post(
            http,
            target,
            path_and_query,
            &RequestBody { pieces, gzip: true, repeatable, timeout },
        );
    }
    #[cfg(not(feature = "gzip"))]
    let _ = config;
    post(
        http,
        target,
        path_and_query,
        &RequestBody { pieces: &[bytes], gzip: false, repeatable, timeout },
    )
}

/// What goes as one request.
pub(super) struct RequestBody<'a> {
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
    body: &RequestBody<'_>,
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

/// Fails if a single line is larger than a request may be.
fn check_lines(buffer: &[u8], most: usize) -> Result<()> {
    if buffer.len() <= most {
        return Ok(());
    }
    let mut start = 0;
    for (place, end) in line_ends(buffer).enumerate() {
        if end - start > most {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!(
                    "line {} has {} bytes and a request at most {most} (max_request_bytes); nothing was sent",
                    place + 1,
                    end - start
                ),
            ));
        }
        start = end;
    }
    Ok(())
}

impl<'a> RequestPart<'a> {
    /// Cuts it between lines into parts of at most `most` bytes; a line that is larger is a part by itself.
    fn cut(self, most: usize) -> Vec<Self> {
        let Self { bytes, first_line, sent, .. } = self;
        if bytes.len() <= most {
            return vec![self];
        }
        let mut parts = Vec::new();
        let mut part = Self { bytes: &bytes[..0], first_line, lines: 0, sent };
        let mut start = 0;
        for end in line_ends(bytes) {
            if part.lines > 0 && end - start > most {
                let next = part.first_line + part.lines;
                start += part.bytes.len();
                parts.push(part);
                part = Self { bytes: &bytes[..0], first_line: next, lines: 0, sent };
            }
            part.bytes = &bytes[start..end];
            part.lines += 1;
        }
        parts.push(part);
        parts
    }

    fn batch(self, target: &Target) -> Batch {
        let batch = target.batch(self.bytes.to_vec(), self.lines);
        Batch { attempts: self.sent, ..batch }
    }
}

/// Gives line errors the numbers of the whole call, the whole lines, and the places of their records.
fn locate(errors: &[LineError], part: &RequestPart<'_>, map: &RecordMap) -> Vec<LineError> {
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
