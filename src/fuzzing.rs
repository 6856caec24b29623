//! What the fuzz targets and the benches call of this crate beside its public items. No part of its interface.

#![allow(missing_docs, clippy::missing_errors_doc)]

use std::time::Duration;

use crate::columns::LayoutOptions;
use crate::file::{self, Origin, ReadOptions};
use crate::line_protocol::TagRules;
use crate::line_protocol::encoder::Encoded;
use crate::line_protocol::text;
use crate::record::Lines;
use crate::write::{Answer, Api};
use crate::{Client, ColumnType, FileFormat, Point, Precision, Record, Result};

/// The point as a client with default tags and a tag order writes it; false if no field was left.
pub fn encode_point(
    point: &Point,
    default_tags: Vec<(String, String)>,
    tag_order: Vec<String>,
    precision: Precision,
    out: &mut Vec<u8>,
) -> Result<bool> {
    let rules = TagRules::new(default_tags, tag_order)?;
    Ok(point.encode(precision, &rules, out)? == Encoded::Line)
}

/// The lines of a text up to the first that is refused, each with whether it has a timestamp.
pub fn text_lines(text: &[u8]) -> impl Iterator<Item = Result<(&[u8], bool)>> {
    text::lines(text).map(|line| line.map(|line| (line.bytes, line.has_timestamp)))
}

/// Where the lines of what this crate has encoded end.
pub fn line_ends(encoded: &[u8]) -> Vec<usize> {
    text::line_ends(encoded).collect()
}

/// The number of rows in an answer with this body, received in pieces of this many bytes. Panics if a decoded batch is
/// not valid.
pub fn decode_flight(body: &[u8], piece: usize) -> Result<usize> {
    let batches = crate::query::fuzz::fuzz_decode(body, piece)?;
    Ok(batches.iter().map(|batch| batch.num_rows()).sum())
}

/// The lines of records as a client with default tags writes them, and how many they are.
pub fn encode_record<K>(
    record: impl Record<K>,
    default_tags: Vec<(String, String)>,
    precision: Precision,
) -> Result<(Vec<u8>, usize)> {
    let mut out = Vec::new();
    let count = encode_record_to(&mut out, record, default_tags, precision)?;
    Ok((out, count))
}

/// As [`encode_record`], behind what is in the buffer.
pub fn encode_record_to<K>(
    out: &mut Vec<u8>,
    record: impl Record<K>,
    default_tags: Vec<(String, String)>,
    precision: Precision,
) -> Result<usize> {
    let rules = TagRules::new(default_tags, Vec::new())?;
    let mut lines = Lines::new(out, precision, &rules);
    record.encode(&mut lines)?;
    Ok(lines.count())
}

/// How [`file_lines`] reads.
#[derive(Clone, Copy, Debug)]
pub struct FileOptions<'a> {
    pub delimiter: Option<u8>,
    /// The columns that are texts.
    pub texts: &'a [&'a str],
    /// The only texts that are no value; the built-in ones if there are none.
    pub nulls: Option<&'a [&'a str]>,
}

/// The lines of a file with these bytes, of the measurement `m` and in nanoseconds, and how many they are.
pub fn file_lines(
    bytes: &[u8],
    format: FileFormat,
    options: &FileOptions<'_>,
) -> Result<(Vec<u8>, usize)> {
    let layout = LayoutOptions {
        measurement: Some("m".to_owned()),
        // Numbers are times, and no days.
        date_unit: Some(Precision::Nanosecond),
        needs_time: true,
        ..LayoutOptions::default()
    };
    let read_options = ReadOptions {
        layout,
        types: options.texts.iter().map(|name| ((*name).to_owned(), ColumnType::Text)).collect(),
        delimiter: options.delimiter,
        null_values: options.nulls.into_iter().flatten().map(|null| (*null).to_owned()).collect(),
        has_only_listed_nulls: options.nulls.is_some(),
        ..ReadOptions::default()
    };
    let rules = TagRules::new(Vec::new(), Vec::new())?;
    let origin = Origin::reader(Box::new(bytes), usize::MAX);
    let mut source = file::open(origin, format, &read_options, Precision::Nanosecond, &rules)?;
    let mut out = Vec::new();
    let mut lines = Lines::new(&mut out, Precision::Nanosecond, &rules);
    while source.read(&mut lines)? {}
    let count = lines.count();
    Ok((out, count))
}

/// What an answer to a write means.
pub fn judge_answer(
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    v3: bool,
    in_doubt: bool,
) -> Result<()> {
    let api = if v3 { Api::V3 } else { Api::V2 };
    Answer { status, headers, body, in_doubt }.into_write_result(api)
}

/// What a connection string can set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    pub host: String,
    pub token: Option<String>,
    pub database: Option<String>,
    pub organization: String,
    pub auth_scheme: String,
    pub precision: Precision,
    pub no_sync: bool,
    pub accept_partial: bool,
    pub use_v2_api: bool,
    pub write_timeout: Duration,
}

/// A client's settings, the token included.
pub fn settings(client: &Client) -> Settings {
    let config = client.writer().config();
    Settings {
        host: client.writer().http().hosts().join(","),
        token: config.tokens.kept().map(|token| token.reveal().to_owned()),
        database: config.database.as_deref().map(str::to_owned),
        organization: config.organization.to_string(),
        auth_scheme: config.auth_scheme.clone(),
        precision: config.precision,
        no_sync: config.no_sync,
        accept_partial: config.accept_partial,
        use_v2_api: config.use_v2_api,
        write_timeout: config.write_timeout,
    }
}
