use std::fmt;

use arrow_cast::pretty::pretty_format_batches_with_schema;

use super::table::Table;

/// The table as text: a header, a line for each row, and nothing for null.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = pretty_format_batches_with_schema(self.schema(), self.batches());
        // Types that cannot be shown: the server has none of them.
        text.map_err(|_| fmt::Error)?.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};

    use super::*;
    use crate::query::stats::QueryStats;

    #[test]
    fn a_table_is_shown_with_its_header_also_when_it_is_empty() {
        let columns: [(&str, ArrayRef); 2] = [
            ("room", Arc::new(StringArray::from(vec!["Kitchen", "Bath"]))),
            ("temp", Arc::new(Float64Array::from(vec![Some(21.5), None]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let empty = Table::new(batch.schema(), vec![], QueryStats::default());
        assert!(empty.to_string().contains("| room | temp |"), "{empty}");
        let table = Table::new(batch.schema(), vec![batch], QueryStats::default());
        let text = table.to_string();
        assert!(
            text.contains("| Kitchen | 21.5 |") && text.contains("| Bath    |      |"),
            "{text}"
        );
    }
}
