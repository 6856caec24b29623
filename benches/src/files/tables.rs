//! The tables that are written.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

pub const SHAPES: [&str; 4] = [
    "two tags and three fields",
    "numeric: ten floats",
    "tag-heavy: ten tags, one field",
    "text-heavy: three texts of 40",
];

pub fn of(shape: &str, rows: usize) -> RecordBatch {
    match SHAPES.iter().position(|known| *known == shape) {
        Some(0) => home(rows),
        Some(1) => numeric(rows),
        Some(2) => tags_of(rows),
        Some(3) => text(rows),
        _ => panic!("there is no shape {shape}"),
    }
}

/// The columns of text that come first in these tables.
pub fn tags(batch: &RecordBatch) -> Vec<String> {
    let schema = batch.schema();
    let names = schema.fields().iter().map(|field| field.name().clone());
    names.filter(|name| is_tag(name)).collect()
}

pub fn is_tag(name: &str) -> bool {
    name.starts_with("tag") || ["room", "floor"].contains(&name)
}

pub fn home(rows: usize) -> RecordBatch {
    let room = (0..rows).map(|n| ["Kitchen", "Living Room", "Bath"][n % 3]);
    let floor = (0..rows).map(|n| ["0", "1"][n / 3 % 2]);
    batch(vec![
        ("time", times(rows)),
        ("room", Arc::new(room.collect::<DictionaryArray<Int32Type>>())),
        ("floor", Arc::new(StringArray::from_iter_values(floor))),
        ("temp", Arc::new(Float64Array::from_iter_values((0..rows).map(temp)))),
        ("hum", Arc::new(Float64Array::from_iter_values((0..rows).map(hum)))),
        ("co", Arc::new(Int64Array::from_iter_values((0..rows).map(|n| n as i64 % 30)))),
    ])
}

fn numeric(rows: usize) -> RecordBatch {
    let names: Vec<String> = (0..10).map(|n| format!("value{n}")).collect();
    let column = |n: usize| {
        let values = (0..rows).map(move |row| (row * (n + 7)) as f64 / 16.0);
        Arc::new(Float64Array::from_iter_values(values)) as ArrayRef
    };
    let columns = names.iter().enumerate().map(|(n, name)| (name.as_str(), column(n)));
    batch(std::iter::once(("time", times(rows))).chain(columns).collect())
}

fn tags_of(rows: usize) -> RecordBatch {
    let names: Vec<String> = (0..10).map(|n| format!("tag{n}")).collect();
    let column = |n: usize| {
        let values = (0..rows).map(move |row| format!("value-{}", row / 7 % (10 + n)));
        Arc::new(StringArray::from_iter_values(values)) as ArrayRef
    };
    let columns = names.iter().enumerate().map(|(n, name)| (name.as_str(), column(n)));
    let field = Int64Array::from_iter_values(0..rows as i64);
    let field = ("field", Arc::new(field) as ArrayRef);
    batch(std::iter::once(("time", times(rows))).chain(columns).chain([field]).collect())
}

fn text(rows: usize) -> RecordBatch {
    let column = |n: usize| {
        let values =
            (0..rows).map(move |row| format!("a text of {n}, not \"short\", number {row:08}"));
        Arc::new(StringArray::from_iter_values(values)) as ArrayRef
    };
    batch(vec![("time", times(rows)), ("a", column(1)), ("b", column(2)), ("c", column(3))])
}

fn times(rows: usize) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from_iter_values((0..rows as i64).map(|n| START + n)))
}

fn temp(n: usize) -> f64 {
    (180 + n % 90) as f64 / 10.0
}

fn hum(n: usize) -> f64 {
    (3_000 + n % 997) as f64 / 100.0
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).expect("a batch")
}

pub fn write_csv(path: &Path, rows: usize) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(out, "time,room,floor,temp,hum,co")?;
    for n in 0..rows {
        write_row(&mut out, n)?;
    }
    out.flush()
}

/// At least so many bytes; says how many rows that are.
pub fn write_csv_of(path: &Path, bytes: u64) -> std::io::Result<usize> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(out, "time,room,floor,temp,hum,co")?;
    let mut rows = 0;
    // A row has 40 bytes or more.
    while rows as u64 * 40 < bytes {
        write_row(&mut out, rows)?;
        rows += 1;
    }
    out.flush()?;
    Ok(rows)
}

fn write_row(out: &mut impl Write, n: usize) -> std::io::Result<()> {
    let room = ["Kitchen", "Living Room", "Bath"][n % 3];
    let floor = n / 3 % 2;
    writeln!(out, "{},{room},{floor},{:.1},{:.2},{}", START + n as i64, temp(n), hum(n), n % 30)
}

pub fn write_parquet(path: &Path, batch: &RecordBatch) -> parquet::errors::Result<()> {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(File::create(path)?, batch.schema(), Some(properties))?;
    writer.write(batch)?;
    writer.close().map(drop)
}

/// 2022-01-01T08:00:00Z
const START: i64 = 1_641_024_000_000_000_000;
