//! The index of a frame of pandas, which is a column among others in Parquet and Feather.

use arrow_schema::{DataType, Schema};
use serde_json::Value;

use crate::columns::LayoutOptions;

/// The options, with the index of the frame as the timestamp column: if no option names one, no column is `time`, and
/// the index is of one column of timestamps or dates, named or not.
pub(super) fn as_time(options: &LayoutOptions, schema: &Schema) -> LayoutOptions {
    let mut options = options.clone();
    let has_time = || {
        let mut fields = schema.fields().iter();
        fields.any(|field| options.new_name(field.name()) == options.time())
    };
    if options.timestamp_column.is_some() || has_time() {
        return options;
    }
    if let Some(index) = index_of_times(schema) {
        let name = options.new_name(&index).to_owned();
        if !options.is_excluded(&name) {
            options.timestamp_column = Some(name);
        }
    }
    options
}

/// The column that is the whole index, if it has times.
fn index_of_times(schema: &Schema) -> Option<String> {
    let pandas: Value = serde_json::from_str(schema.metadata().get("pandas")?).ok()?;
    let index = pandas.get("index_columns")?.as_array()?;
    let [Value::String(index)] = index.as_slice() else { return None };
    let field = schema.field_with_name(index).ok()?;
    let is_time =
        matches!(field.data_type(), DataType::Timestamp(..) | DataType::Date32 | DataType::Date64);
    is_time.then(|| index.clone())
}
