//! A write's body: its encoding, its size, its text.

use std::{
    fmt,
    io::{self, Read},
    str::Utf8Error,
};

use bytes::Bytes;
use flate2::bufread::{GzDecoder, MultiGzDecoder};
use http::{HeaderMap, header::CONTENT_ENCODING};

use crate::release::Release;

/// Why a body cannot be read.
#[derive(Debug)]
pub(crate) enum BodyError {
    Encoding(String),
    TooLarge(usize),
    Gzip(io::Error),
    Utf8(Utf8Error),
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyError::Encoding(name) => write!(f, "unacceptable content-encoding: {name}"),
            BodyError::TooLarge(max) => write!(f, "max request size ({max} bytes) exceeded"),
            BodyError::Gzip(error) => write!(f, "error decoding gzip stream: {error}"),
            BodyError::Utf8(error) => write!(f, "body content is not valid utf8: {error}"),
        }
    }
}

/// Undoes the content encoding. `max` is the limit of the body as sent, and again of the decoded
/// one. Of a gzip body release 3.6 reads only the first member, without a word about the others.
pub(crate) fn decode(
    headers: &HeaderMap,
    body: &Bytes,
    max: usize,
    release: Release,
) -> Result<Bytes, BodyError> {
    let encoding =
        headers.get(CONTENT_ENCODING).map(|name| String::from_utf8_lossy(name.as_bytes()));
    let gzip = match encoding.as_deref() {
        None | Some("identity") => false,
        Some("gzip") => true,
        Some(other) => return Err(BodyError::Encoding(other.to_owned())),
    };
    if body.len() > max {
        return Err(BodyError::TooLarge(max));
    }
    if !gzip {
        return Ok(body.clone());
    }
    let mut decoded = Vec::new();
    // One byte more than allowed, to distinguish a body of exactly the limit from a longer one.
    let decoder: Box<dyn Read> = match release.reads_all_members() {
        true => Box::new(MultiGzDecoder::new(&body[..])),
        false => Box::new(GzDecoder::new(&body[..])),
    };
    let mut decoder = decoder.take((max as u64).saturating_add(1));
    decoder.read_to_end(&mut decoded).map_err(BodyError::Gzip)?;
    if decoded.len() > max {
        return Err(BodyError::TooLarge(max));
    }
    Ok(Bytes::from(decoded))
}

/// The body as text.
pub(crate) fn text(body: &[u8]) -> Result<&str, BodyError> {
    std::str::from_utf8(body).map_err(BodyError::Utf8)
}
