//! The values of dictionaries, from their messages.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, make_array};
use arrow_buffer::Buffer;
use arrow_data::transform::MutableArrayData;
use arrow_ipc::reader::read_record_batch;
use arrow_ipc::{DictionaryBatch, MetadataVersion, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema};

/// The values of the dictionaries of one stream, by the ids of the dictionaries.
///
/// `arrow_ipc::reader` has this as well, but it adds to a dictionary with arrow-select's `concat`, which brings code for
/// arrays of each type: a tenth of a small program.
#[derive(Default)]
pub(super) struct Dictionaries(HashMap<i64, ArrayRef>);

impl Dictionaries {
    pub(super) fn values(&self) -> &HashMap<i64, ArrayRef> {
        &self.0
    }

    /// Reads a message with values of a dictionary: all of them, which replace earlier ones, or, in a delta, some that
    /// are appended to earlier ones. `values` is the batch within the message, whose buffers lie in `body`.
    ///
    /// # Errors
    ///
    /// No column of the schema has the dictionary, a delta is received before the values that it adds to, or the batch
    /// cannot be decoded.
    pub(super) fn read(
        &mut self,
        body: &Buffer,
        message: DictionaryBatch<'_>,
        values: RecordBatch<'_>,
        schema: &Schema,
        version: &MetadataVersion,
    ) -> Result<(), ArrowError> {
        let id = message.id();
        let value_type = type_of_values(schema, id)
            .ok_or_else(|| invalid(format!("no column has the dictionary {id}")))?;
        let schema = Arc::new(Schema::new(vec![Field::new("", value_type, true)]));
        let batch = read_record_batch(body, values, schema, &self.0, None, version)?;
        let mut values = Arc::clone(batch.column(0));
        if message.isDelta() {
            let before = self.0.get(&id).ok_or_else(|| {
                invalid(format!("values are added to the dictionary {id}, which has not come"))
            })?;
            values = joined(before, &values)?;
        }
        self.0.insert(id, values);
        Ok(())
    }
}

#[allow(deprecated)] // arrow-ipc itself finds the dictionary of a column by this id
fn type_of_values(schema: &Schema, id: i64) -> Option<DataType> {
    match schema.fields_with_dict_id(id).first()?.data_type() {
        DataType::Dictionary(_, values) => Some(values.as_ref().clone()),
        _ => None,
    }
}

/// Two arrays of one type as one.
fn joined(first: &ArrayRef, second: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let (first, second) = (first.to_data(), second.to_data());
    let mut both = MutableArrayData::new(vec![&first, &second], false, first.len() + second.len());
    both.try_extend(0, 0, first.len())?;
    both.try_extend(1, 0, second.len())?;
    Ok(make_array(both.freeze()))
}

fn invalid(message: String) -> ArrowError {
    ArrowError::InvalidArgumentError(message)
}
