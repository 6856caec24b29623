//! Tables written by the crate `csv`, quoted in every way, come back cell by cell; and of any text without quotes and
//! carriage returns, the rows are those that the crate reads, or there is an error where it has one.

use arbitrary::{Result, Unstructured};
use csv::{QuoteStyle, ReaderBuilder, Terminator, WriterBuilder};
use influxdb_line_protocol::{FieldValue, ParsedLine, parse_lines};
use influxdb3_blocking::{FileFormat, fuzzing};

pub fn check(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        plain(text);
    }
    let _ = draw_and_check(&mut Unstructured::new(data)); // an error: the data was too short
}

/// A row as it should arrive: its time, and its cells that are not empty.
type Row = (i64, Vec<(String, String)>);

fn draw_and_check(u: &mut Unstructured<'_>) -> Result<()> {
    let delimiter = *u.choose(b",;\t|:")?;
    let style = *u.choose(&[QuoteStyle::Necessary, QuoteStyle::Always, QuoteStyle::NonNumeric])?;
    let terminator = *u.choose(&[Terminator::CRLF, Terminator::Any(b'\n')])?;
    let columns = u.int_in_range(1..=4)?;
    let mut rows = Vec::new();
    for _ in 0..=u.int_in_range(0..=5)? {
        let mut cells = Vec::new();
        for _ in 0..columns {
            cells.push(cell(u)?);
        }
        rows.push((u.arbitrary::<i64>()?, cells));
    }

    let names: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
    let mut writer = WriterBuilder::new()
        .delimiter(delimiter)
        .quote_style(style)
        .terminator(terminator)
        .from_writer(Vec::new());
    writer
        .write_record(std::iter::once("time").chain(names.iter().map(String::as_str)))
        .expect("written");
    for (time, cells) in &rows {
        let time = time.to_string();
        writer.write_record(std::iter::once(&time).chain(cells)).expect("written");
    }
    let text = writer.into_inner().expect("flushed");

    let expected: Vec<Row> = rows
        .into_iter()
        .map(|(time, cells)| {
            (time, names.iter().cloned().zip(cells).filter(|(_, cell)| !cell.is_empty()).collect())
        })
        .filter(|(_, cells): &Row| !cells.is_empty())
        .collect();
    let found = read(&text, delimiter, &names).expect("what the crate writes is CSV");
    assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(&text));
    Ok(())
}

/// A cell of what means something in CSV, or of anything.
fn cell(u: &mut Unstructured<'_>) -> Result<String> {
    const PIECES: [&str; 14] =
        ["\"", "\"\"", ",", ";", "\t", "|", "\n", "\r", "\r\n", " ", "a", "ü", "\\", "\u{feff}"];
    if u.arbitrary()? {
        return u.arbitrary();
    }
    let mut cell = String::new();
    for _ in 0..u.int_in_range(0..=6)? {
        cell.push_str(u.choose(&PIECES)?);
    }
    Ok(cell)
}

/// Text in which every cell is what stands between two commas.
fn plain(text: &str) {
    if text.contains(['"', '\r', '\0'])
        || text.starts_with('\u{feff}')
        || text.to_ascii_lowercase().starts_with("sep=")
    {
        return;
    }
    // The number of the row is its time, so that only the shape decides.
    let is_empty = |line: &&str| {
        line.trim_matches([' ', '\t']).is_empty() || line.trim_matches(',').is_empty()
    };
    let lines: Vec<&str> = text.split('\n').filter(|line| !is_empty(line)).collect();
    let text: String =
        lines.iter().enumerate().map(|(number, line)| format!("{number},{line}\n")).collect();
    let records: Vec<csv::StringRecord> = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
        .records()
        .map(|record| record.expect("a record"))
        .collect();
    let Some(first) = records.first() else { return };
    let columns = first.len() - 1;
    let names: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
    let header: String = std::iter::once("time")
        .chain(names.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join(",");
    let found = read(format!("{header}\n{text}").as_bytes(), b',', &names);
    if records.iter().any(|record| record.len() != first.len()) {
        assert!(found.is_err(), "{text:?}: {found:?}");
        return;
    }
    let expected: Vec<Row> = records
        .iter()
        .enumerate()
        .map(|(number, record)| {
            let cells = names.iter().cloned().zip(record.iter().skip(1).map(str::to_owned));
            (number as i64, cells.filter(|(_, cell)| !cell.is_empty()).collect())
        })
        .filter(|(_, cells): &Row| !cells.is_empty())
        .collect();
    assert_eq!(found.expect("it is CSV"), expected, "{text:?}");
}

/// The rows that the crate makes lines of. The empty cell is the only one without a value.
fn read(text: &[u8], delimiter: u8, names: &[String]) -> influxdb3_blocking::Result<Vec<Row>> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let options =
        fuzzing::FileOptions { delimiter: Some(delimiter), texts: &names, nulls: Some(&[""]) };
    let (lines, count) = fuzzing::file_lines(text, FileFormat::Csv, &options)?;
    let lines = std::str::from_utf8(&lines).expect("line protocol is UTF-8");
    let rows: Vec<Row> = parse_lines(lines).map(|line| row(&line.expect("it parses"))).collect();
    assert_eq!(rows.len(), count, "{lines}");
    Ok(rows)
}

fn row(line: &ParsedLine<'_>) -> Row {
    let fields = line.field_set.iter().map(|(key, value)| match value {
        FieldValue::String(text) => (key.to_string(), text.to_string()),
        other => panic!("{other:?} is no text"),
    });
    (line.timestamp.expect("a time"), fields.collect())
}
