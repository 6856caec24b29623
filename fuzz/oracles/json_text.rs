//! Values printed as JSON arrive as they were: doubles with the same bits, integers and texts unchanged, in every shape
//! of a file. Of any other text, what is taken is JSON for `serde_json`, too.

use arbitrary::{Result, Unstructured};
use influxdb_line_protocol::{FieldValue as Parsed, parse_lines};
use influxdb3_blocking::{FileFormat, fuzzing};

pub fn check(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        any_text(text);
    }
    let _ = draw_and_check(&mut Unstructured::new(data)); // an error: the data was too short
}

fn any_text(text: &str) {
    let Ok((lines, count)) = read(text.as_bytes(), &[]) else { return };
    let lines = std::str::from_utf8(&lines).expect("line protocol is UTF-8");
    let parsed: Vec<_> = parse_lines(lines).map(|line| line.expect("it parses")).collect();
    assert_eq!(parsed.len(), count, "{lines}");
    // Words that Python writes are taken though they are no JSON.
    if text.contains("NaN") || text.contains("Infinity") {
        return;
    }
    let text = text.trim_start_matches('\u{feff}');
    let values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
    // Numbers beyond a double are JSON that `serde_json` does not read.
    let is_range = |error: &serde_json::Error| error.to_string().contains("out of range");
    assert!(
        values.map(|value| value.err()).all(|error| error.as_ref().is_none_or(is_range)),
        "{text:?}"
    );
}

/// What a column has.
#[derive(Clone, Debug)]
enum Column {
    Doubles(Vec<f64>),
    Integers(Vec<i64>),
    Texts(Vec<String>),
}

fn draw_and_check(u: &mut Unstructured<'_>) -> Result<()> {
    let rows = 1 + usize::from(u.int_in_range(0u8..=5)?);
    let column = match u.int_in_range(0..=3)? {
        0 | 1 => Column::Doubles(draw(u, rows)?),
        2 => Column::Integers(draw(u, rows)?),
        _ => Column::Texts(draw(u, rows)?),
    };
    let printing = u.int_in_range(0..=2)?;
    let values: Vec<String> = match &column {
        Column::Doubles(values) => values.iter().map(|value| double(*value, printing)).collect(),
        Column::Integers(values) => values.iter().map(i64::to_string).collect(),
        Column::Texts(values) => {
            values.iter().map(|value| serde_json::to_string(value).expect("JSON")).collect()
        }
    };
    let text = shape(&values, u.int_in_range(0..=4)?);
    let texts: &[&str] = if matches!(column, Column::Texts(_)) { &["f"] } else { &[] };
    let (lines, _) = read(text.as_bytes(), texts).unwrap_or_else(|error| panic!("{text}: {error}"));
    let lines = std::str::from_utf8(&lines).expect("line protocol is UTF-8");
    let found: Vec<(usize, Parsed<'_>)> = parse_lines(lines)
        .map(|line| line.expect("it parses"))
        .map(|line| (line.timestamp.expect("a time") as usize, line.field_set[0].1.clone()))
        .collect();
    match column {
        Column::Doubles(values) => {
            let expected: Vec<_> =
                numbered(values).filter(|(_, value)| value.is_finite()).collect();
            assert_eq!(found.len(), expected.len(), "{text}: {lines}");
            for ((row, found), (place, value)) in found.iter().zip(expected) {
                let is_same =
                    matches!(found, Parsed::F64(found) if found.to_bits() == value.to_bits());
                assert!(*row == place && is_same, "{value:?} as {found:?}: {text}");
            }
        }
        Column::Integers(values) => {
            let expected: Vec<_> =
                numbered(values).map(|(row, value)| (row, Parsed::I64(value))).collect();
            assert_eq!(found, expected, "{text}");
        }
        Column::Texts(values) => {
            let found: Vec<(usize, String)> = found
                .into_iter()
                .map(|(row, value)| match value {
                    Parsed::String(text) => (row, text.to_string()),
                    other => panic!("{other:?} is no text"),
                })
                .collect();
            assert_eq!(found, numbered(values).collect::<Vec<_>>(), "{text}");
        }
    }
    Ok(())
}

fn draw<'a, T: arbitrary::Arbitrary<'a>>(u: &mut Unstructured<'a>, rows: usize) -> Result<Vec<T>> {
    (0..rows).map(|_| u.arbitrary()).collect()
}

fn numbered<T>(values: Vec<T>) -> impl Iterator<Item = (usize, T)> {
    values.into_iter().enumerate()
}

/// A double as JSON, printed by the standard library or by `serde_json`; what is not finite as Python writes it.
fn double(value: f64, printing: u8) -> String {
    match (value.is_finite(), printing) {
        (true, 0) => format!("{value:?}"),
        (true, 1) => format!("{value:e}"),
        (true, _) => serde_json::to_string(&value).expect("JSON"),
        (false, _) if value.is_nan() => "NaN".to_owned(),
        (false, _) => if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
    }
}

/// Rows with their number as the time, in one of the shapes of a file.
fn shape(values: &[String], shape: u8) -> String {
    let joined = |separator: &str, item: &dyn Fn(usize, &String) -> String| {
        let items: Vec<String> =
            values.iter().enumerate().map(|(row, value)| item(row, value)).collect();
        items.join(separator)
    };
    let row = |row: usize, value: &String| format!("{{\"time\":{row}, \"f\":{value}}}");
    match shape {
        0 => format!("[{}]", joined(",\n", &row)),
        1 => joined("\n", &row),
        2 => {
            let times = joined(",", &|row, _| format!("\"{row}\":{row}"));
            let fields = joined(",", &|row, value| format!("\"{row}\":{value}"));
            format!("{{\"time\":{{{times}}},\"f\":{{{fields}}}}}")
        }
        3 => {
            let data = joined(",", &|row, value| format!("[{row},{value}]"));
            format!("{{\"columns\":[\"time\",\"f\"],\"data\":[{data}]}}")
        }
        _ => format!("{{\"schema\":{{}},\"data\":[{}]}}", joined(",", &row)),
    }
}

fn read(text: &[u8], texts: &[&str]) -> influxdb3_blocking::Result<(Vec<u8>, usize)> {
    let options = fuzzing::FileOptions { delimiter: None, texts, nulls: Some(&[]) };
    fuzzing::file_lines(text, FileFormat::Json, &options)
}
