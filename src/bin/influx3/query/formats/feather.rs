//! Feather of version 2, packed with lz4 as pandas does. Dictionaries become plain text: such a file can have one for
//! each column only, and answers have one for each batch.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use influxdb3_blocking::{arrow_array, arrow_schema};

use super::super::destination::Destination;
use super::super::output::Output;
use crate::failure::{Exit, Failure};

pub(super) struct Feather {
    writer: FileWriter<Destination>,
    schema: SchemaRef,
}

impl Feather {
    pub(super) fn new(schema: &SchemaRef, out: Destination) -> Result<Self, Failure> {
        let plain = |field: &Arc<Field>| match field.data_type() {
            DataType::Dictionary(_, values) => {
                Field::clone(field).with_data_type(DataType::clone(values))
            }
            _ => Field::clone(field),
        };
        let fields: Vec<_> = schema.fields().iter().map(plain).collect();
        let schema = Arc::new(Schema::new(fields).with_metadata(schema.metadata().clone()));
        let options =
            IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME));
        let writer = options
            .and_then(|options| FileWriter::try_new_with_options(out, &schema, options))
            .map_err(failed)?;
        Ok(Self { writer, schema })
    }
}

impl Output for Feather {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let columns = batch.columns().iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| -> Result<ArrayRef, ArrowError> {
            match column.data_type() == field.data_type() {
                true => Ok(column.clone()),
                false => cast(column, field.data_type()),
            }
        });
        let plain = columns
            .collect::<Result<Vec<_>, _>>()
            .and_then(|columns| RecordBatch::try_new(self.schema.clone(), columns));
        plain.and_then(|batch| self.writer.write(&batch)).map_err(failed)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        self.writer.finish().map_err(failed)?;
        self.writer.into_inner().map_err(failed)?.finish()
    }
}

fn failed(error: ArrowError) -> Failure {
    match error {
        ArrowError::IoError(_, error) => Failure::io("the Feather file", &error),
        error => {
            let what = format!("the Feather file cannot be written: {error}");
            Failure::new(Exit::Failed, "Io", what)
        }
    }
}
