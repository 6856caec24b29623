//! The columns of an answer, as a table of their own.

use std::sync::Arc;

use arrow_array::{BooleanArray, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use influxdb3_blocking::{ColumnKind, arrow_array, arrow_schema};

use super::destination::Destination;
use super::formats::{self, Format};
use super::output::Shown;
use crate::failure::{Exit, Failure};

pub(super) fn print(
    schema: &SchemaRef,
    format: Format,
    shown: Shown,
    out: Destination,
) -> Result<(), Failure> {
    let batch = table(schema).map_err(|error| {
        Failure::new(Exit::Failed, "Internal", format!("the columns cannot be shown: {error}"))
    })?;
    let mut output = formats::open(format, &batch.schema(), shown, out)?;
    output.batch(&batch)?;
    output.finish()
}

fn table(schema: &SchemaRef) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let fields = schema.fields().iter();
    let kind = |field: &Arc<Field>| {
        ColumnKind::of(field).map(|kind| match kind {
            ColumnKind::Tag => "tag",
            ColumnKind::Field => "field",
            ColumnKind::Time => "time",
        })
    };
    let names: StringArray = fields.clone().map(|field| Some(field.name().as_str())).collect();
    let kinds: StringArray = fields.clone().map(kind).collect();
    let types: StringArray =
        fields.clone().map(|field| Some(field.data_type().to_string())).collect();
    let nullable: BooleanArray = fields.map(|field| Some(field.is_nullable())).collect();
    let shown = Schema::new(vec![
        Field::new("column", DataType::Utf8, false),
        Field::new("kind", DataType::Utf8, true),
        Field::new("type", DataType::Utf8, false),
        Field::new("nullable", DataType::Boolean, false),
    ]);
    RecordBatch::try_new(
        Arc::new(shown),
        vec![Arc::new(names), Arc::new(kinds), Arc::new(types), Arc::new(nullable)],
    )
}
