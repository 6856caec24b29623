//! Any data frame of polars, with nulls, as a slice of a longer one and in chunks, against the row-wise encoder: the
//! lines are, byte by byte, those of points made of the same rows.

use arbitrary::{Result, Unstructured};
use influxdb3_blocking::polars_core::prelude::{DataFrame, IntoColumn as _, Series};
use influxdb3_blocking::{ErrorKind, Frame, fuzzing};

use super::frame_column;
use super::table::{Table, Written, with_options};

pub fn check(data: &[u8]) {
    let _ = draw_and_check(&mut Unstructured::new(data)); // an error: the data was too short
}

fn draw_and_check(u: &mut Unstructured<'_>) -> Result<()> {
    let table = Table::draw(u, frame_column::draw)?;
    let column = |name: &str, series: &Series| {
        let rows = series.slice(table.size.offset as i64, table.size.rows);
        rows.with_name(name.into()).into_column()
    };
    let columns = table.columns.iter().map(|column_| column(&column_.name, &column_.data));
    // polars has no two columns of one name.
    let Ok(frame) = DataFrame::new(table.size.rows, columns.collect()) else { return Ok(()) };
    let whole = encode(&table, &frame);
    table.check(&whole);

    // Where the chunks end makes no difference.
    let size = u.int_in_range(1..=4)?;
    let mut chunked = frame.slice(0, 0);
    for start in (0..frame.height()).step_by(size) {
        chunked.vstack_mut(&frame.slice(start as i64, size)).expect("the same columns");
    }
    assert_eq!(encode(&table, &chunked), whole, "{table:?}");
    Ok(())
}

fn encode(table: &Table<Series>, frame: &DataFrame) -> Written {
    let records = with_options!(Frame::new(frame), &table.options);
    match fuzzing::encode_record(records, table.defaults.clone(), table.precision) {
        Ok(written) => Some(written),
        Err(error) => {
            // The client's own settings are no record.
            let kind = error.kind();
            assert!(matches!(kind, ErrorKind::InvalidRecord | ErrorKind::Config), "{error}");
            None
        }
    }
}
