//! The one InfluxQL statement that is here.

use std::{collections::HashMap, sync::Arc};

use datafusion::{
    arrow::{
        array::{ArrayRef, RecordBatch, StringArray},
        datatypes::{DataType, Field, Schema},
    },
    execution::SendableRecordBatchStream,
    physical_plan::stream::RecordBatchStreamAdapter,
};
use futures::stream;
use tonic::Status;

use crate::shared::Shared;

/// Answers `SHOW MEASUREMENTS`; there is no engine for anything else.
pub(crate) fn query(
    shared: &Shared,
    database: &str,
    query: &str,
) -> Result<SendableRecordBatchStream, Status> {
    let words: Vec<&str> = query.trim().trim_end_matches(';').split_whitespace().collect();
    let show_measurements = matches!(&words[..], [show, measurements] if show.eq_ignore_ascii_case("show")
            && measurements.eq_ignore_ascii_case("measurements"));
    if !show_measurements {
        return Err(Status::unimplemented(
            "the dev server has no InfluxQL but for SHOW MEASUREMENTS",
        ));
    }
    let names = shared.store.tables(database);
    let schema = Arc::new(schema());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(names.iter().map(|_| "measurements"))),
        Arc::new(StringArray::from_iter_values(&names)),
    ];
    let batch = RecordBatch::try_new(schema.clone(), columns)
        .map_err(|error| Status::internal(error.to_string()))?;
    let batches = stream::iter([Ok(batch)]);
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
}

fn schema() -> Schema {
    let metadata =
        HashMap::from([("iox::influxql::group_key::metadata".to_owned(), "{}".to_owned())]);
    Schema::new(vec![
        Field::new("iox::measurement", DataType::Utf8, false),
        Field::new("name", DataType::Utf8, false),
    ])
    .with_metadata(metadata)
}
