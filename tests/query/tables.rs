//! A whole answer: one batch, a row by its number, the values of a column, and how it is printed.
#![cfg(feature = "query")]

use std::sync::Arc;

use crate::support::batches::{answer, numbers};
use crate::support::flight::FlightServer;
use influxdb3_blocking::arrow_array::types::Int16Type;
use influxdb3_blocking::arrow_array::{Array, ArrayRef, RecordBatch, RunArray};
#[cfg(feature = "pretty")]
use influxdb3_blocking::arrow_array::{Int64Array, StringArray};
use influxdb3_blocking::{Client, ErrorKind, Table};

fn answered(batches: Vec<RecordBatch>) -> Table {
    let server = FlightServer::replay(answer(batches));
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    client.query("SELECT 1").table().unwrap()
}

/// Batches of 3, 0, 1 and 4 rows; of the empty one there is nothing left.
fn table() -> Table {
    answered(vec![numbers(3), numbers(0), numbers(1), numbers(4)])
}

#[test]
fn a_row_is_found_by_its_number_in_whatever_batch_it_is() {
    let table = table();
    let found: Vec<i64> =
        (0..).map_while(|n| table.row(n)).map(|row| row.get("n").unwrap()).collect();
    assert_eq!(found, [0, 1, 2, 0, 0, 1, 2, 3]);
    assert!(table.row(8).is_none() && table.row(usize::MAX).is_none());
    assert!(answered(vec![numbers(0)]).row(0).is_none());
    let selected = table.select(&["f"]).unwrap();
    assert_eq!(selected.row(7).unwrap().get::<f64>(0).unwrap(), 1.5);
}

#[test]
fn the_values_of_a_column_are_those_of_the_rows() {
    let table = table();
    let values = table.values::<f64>("f").unwrap();
    assert_eq!(values.len(), 8);
    let values: Vec<f64> = values.collect::<Result<_, _>>().unwrap();
    let rows: Vec<f64> = table.rows().map(|row| row.get("f").unwrap()).collect();
    assert_eq!(values, rows);
    assert_eq!(table.values::<i64>(0).unwrap().map(Result::unwrap).sum::<i64>(), 9);
    let mut wrong = table.values::<i64>("f").unwrap();
    let error = wrong.next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the column \"f\" (Float64) cannot be read as i64");
    assert_eq!((wrong.len(), wrong.count()), (7, 7));
    let error = table.values::<f64>("g").unwrap_err();
    assert_eq!(error.to_string(), "the answer has no column \"g\": it has n, f");
    assert_eq!(answered(vec![numbers(0)]).values::<f64>("f").unwrap().count(), 0);
}

#[test]
fn a_table_becomes_one_batch_of_all_its_rows() {
    let table = table();
    let batch = table.concat().unwrap();
    assert_eq!((batch.num_rows(), batch.schema()), (8, table.schema()));
    let shown: Vec<String> = table.rows().map(|row| format!("{row:?}")).collect();
    let rows = influxdb3_blocking::Rows::new(&batch).map(|row| format!("{row:?}"));
    assert_eq!(rows.collect::<Vec<_>>(), shown);
    // One batch is handed out as it is.
    let one = answered(vec![numbers(3)]);
    let (kept, given) = (one.batches()[0].column(0).to_data(), one.concat().unwrap());
    assert!(kept.ptr_eq(&given.column(0).to_data()));
    let empty = answered(vec![numbers(0)]);
    assert_eq!((empty.concat().unwrap().num_rows(), empty.batches().len()), (0, 0));
    assert_eq!(table.select(&[]).unwrap().concat().unwrap().num_rows(), 8);
}

/// Runs whose ends are 16 bits, more rows than these can count, in two batches.
#[test]
fn a_table_that_fits_no_single_batch_says_so() {
    let column = || {
        let runs: RunArray<Int16Type> = std::iter::repeat_n("x", 20_000).collect();
        Arc::new(runs) as ArrayRef
    };
    let batch = || RecordBatch::try_from_iter([("c", column())]).unwrap();
    let table = answered(vec![batch(), batch()]);
    assert_eq!(table.num_rows(), 40_000);
    assert_eq!(table.row(39_999).unwrap().get::<&str>("c").unwrap(), "x");
    let error = table.concat().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("use its batches"), "{error}");
}

#[cfg(feature = "pretty")]
#[test]
fn a_table_is_printed_within_its_limits() {
    let table = table();
    let shown = "\
+---+-----+
| n |   f |
+---+-----+
| 0 | 0.0 |
| … |   … |
| 3 | 1.5 |
+---+-----+
2 of 8 rows";
    assert_eq!(table.display().max_rows(2).max_width(80).to_string(), shown);
    assert_eq!(table.to_string().lines().count(), 12);
}

/// A width in a format string is 16 bits, and more is a panic.
#[cfg(feature = "pretty")]
#[test]
fn a_value_of_any_width_is_printed() {
    const WIDTH: usize = 70_000;
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(WIDTH), "y".into()]));
    let number: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let name = "n".repeat(WIDTH);
    let batch = RecordBatch::try_from_iter([("text", text), (&name, number)]).unwrap();
    let shown = answered(vec![batch]).to_string();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 6);
    assert!(lines.iter().all(|line| line.len() == 2 * WIDTH + 7));
    let (left, right) = ("y".to_owned() + &" ".repeat(WIDTH - 1), " ".repeat(WIDTH - 1) + "2");
    assert_eq!(lines[4], format!("| {left} | {right} |"));
}
