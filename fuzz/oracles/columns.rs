//! Any record batch of any types, with nulls, as a slice of a longer one and in pieces, against the row-wise encoder:
//! the lines are, byte by byte, those of points made of the same rows, and InfluxData's own parser reads the same
//! values; what is refused no row could have, or its names and types cannot be written.

use std::sync::Arc;

use arbitrary::{Result, Unstructured};
use influxdb3_blocking::arrow_array::{ArrayRef, RecordBatch, RecordBatchIterator};
use influxdb3_blocking::arrow_schema::{Field, Schema};
use influxdb3_blocking::{Columns, ErrorKind, Precision, fuzzing};

use super::column;
use super::table::{Table, Written, tame_name, with_options};

pub fn check(data: &[u8]) {
    let _ = draw_and_check(&mut Unstructured::new(data)); // an error: the data was too short
}

fn draw_and_check(u: &mut Unstructured<'_>) -> Result<()> {
    let table = Table::draw(u, column::draw)?;
    let batch = batch(&table);
    let whole = encode(&table, Columns::new(&batch));
    table.check(&whole);

    // Where the pieces end makes no difference.
    let size = u.int_in_range(1..=4)?;
    let pieces: Vec<_> = (0..batch.num_rows())
        .step_by(size)
        .map(|start| Ok(batch.slice(start, size.min(batch.num_rows() - start))))
        .collect();
    let reader = RecordBatchIterator::new(pieces, batch.schema());
    assert_eq!(encode(&table, Columns::from_reader(reader)), whole, "{table:?}");
    check_refused(u)
}

fn batch(table: &Table<ArrayRef>) -> RecordBatch {
    let field = |name: &str, array: &ArrayRef| Field::new(name, array.data_type().clone(), true);
    let fields = table.columns.iter().map(|column| field(&column.name, &column.data));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let arrays: Vec<ArrayRef> = table
        .columns
        .iter()
        .map(|column| column.data.slice(table.size.offset, table.size.rows))
        .collect();
    if arrays.is_empty() {
        return RecordBatch::new_empty(schema);
    }
    RecordBatch::try_new(schema, arrays).expect("columns of one length")
}

fn encode(table: &Table<ArrayRef>, columns: Columns<'_>) -> Written {
    let columns = with_options!(columns, &table.options);
    match fuzzing::encode_record(columns, table.defaults.clone(), table.precision) {
        Ok(written) => Some(written),
        Err(error) => {
            // The client's own settings are no record.
            let kind = error.kind();
            assert!(matches!(kind, ErrorKind::InvalidRecord | ErrorKind::Config), "{error}");
            None
        }
    }
}

/// A column of a type that cannot be written is refused by its name, whatever it shall be, before its rows are looked at.
fn check_refused(u: &mut Unstructured<'_>) -> Result<()> {
    let (name, rows) = (tame_name(u)?, u.int_in_range(0..=2)?);
    let array = column::draw_refused(u, rows)?;
    let batch = RecordBatch::try_from_iter([(name.as_str(), array.clone()), ("f", array)]);
    let batch = batch.expect("columns of one length");
    let columns = Columns::new(&batch).measurement("m");
    let columns = match u.int_in_range(0..=2)? {
        0 => columns.tags([&name]),
        1 => columns.timestamp_column(&name),
        _ => columns,
    };
    let error = fuzzing::encode_record(columns, Vec::new(), Precision::Second);
    let error = error.expect_err("a type that cannot be written");
    assert_eq!(error.kind(), ErrorKind::InvalidRecord, "{error}");
    assert!(error.to_string().contains(&format!("the column {name:?} is of")), "{error}");
    Ok(())
}
