//! InfluxQL, as far as it is here: a statement is read, turned into SQL for DataFusion, and the result gets the form
//! of InfluxQL's answers. The crate's documentation lists what is supported.
//!
//! What an answer looks like is recorded where `tests/wire` has it, and read in the source of InfluxData's planner
//! elsewhere.

mod condition;
mod fill;
mod lexer;
mod parser;
mod select;
mod show;
mod statement;

use std::{collections::HashMap, fmt, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use datafusion::{
    arrow::{
        array::RecordBatch,
        datatypes::{DataType, Field, SchemaRef},
    },
    error::{DataFusionError, Result},
    execution::SendableRecordBatchStream,
    physical_plan::stream::RecordBatchStreamAdapter,
    scalar::ScalarValue,
};
use futures::stream;

use self::statement::Statement;
use crate::{
    shared::Shared,
    store::{ColumnKind, Columns},
};

/// Rows of a batch of an answer, as DataFusion cuts them.
const ROWS_PER_BATCH: usize = 8192;

/// Runs one statement to its end.
///
/// # Errors
/// Of the statement, in the words of the real server where they are known; [`NotHere`] for what a real server can do and
/// this one cannot.
pub(crate) async fn query(
    shared: Arc<Shared>,
    database: String,
    text: String,
    params: Vec<(String, ScalarValue)>,
) -> Result<SendableRecordBatchStream> {
    let batch = match parser::parse(&text, &params.into_iter().collect())? {
        Statement::Select(select) => select::run(&shared, &database, &select).await?,
        Statement::Show(show) => show::run(&shared, &database, &show).await?,
    };
    let schema = batch.schema();
    let pieces = (0..batch.num_rows())
        .step_by(ROWS_PER_BATCH)
        .map(|start| Ok(batch.slice(start, ROWS_PER_BATCH.min(batch.num_rows() - start))))
        .collect::<Vec<_>>();
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(pieces))))
}

/// What a real server can do and this one cannot.
#[derive(Debug)]
pub(crate) struct NotHere(String);

impl fmt::Display for NotHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the dev server's InfluxQL has no {}", self.0)
    }
}

impl std::error::Error for NotHere {}

fn not_here(what: impl Into<String>) -> DataFusionError {
    DataFusionError::External(Box::new(NotHere(what.into())))
}

fn plan_error(text: impl Into<String>) -> DataFusionError {
    DataFusionError::Plan(text.into())
}

/// Runs SQL over the tables of a database; all rows are one batch.
async fn sql(shared: &Arc<Shared>, database: &str, sql: &str) -> Result<RecordBatch> {
    let context = crate::flight::sql::session(shared.clone(), database.to_owned())?;
    let frame = context.sql(sql).await?;
    let schema: SchemaRef = Arc::new(frame.schema().as_arrow().clone());
    let batches = frame.collect().await?;
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    Ok(datafusion::arrow::compute::concat_batches(&schema, &batches)?)
}

/// A name, as SQL quotes it.
fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A string, as SQL quotes it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The first column of every answer.
fn measurement_field() -> Field {
    Field::new("iox::measurement", DataType::Utf8, false)
}

/// The kind of a column, where the real server shows it.
fn with_kind(field: Field, kind: &str) -> Field {
    field.with_metadata(HashMap::from([("iox::column::type".to_owned(), kind.to_owned())]))
}

fn tag_field(name: &str, data_type: DataType) -> Field {
    with_kind(Field::new(name, data_type, true), ColumnKind::Tag.name())
}

/// Metadata of an answer's schema: which columns are the tags of its `GROUP BY`, with their places.
fn schema_metadata(group_by: &[(&str, usize)]) -> HashMap<String, String> {
    let columns: Vec<_> = group_by
        .iter()
        .map(|(tag, index)| {
            let tag = serde_json::Value::from(*tag);
            format!("{{\"tagKey\":{tag},\"columnIndex\":{index}}}")
        })
        .collect();
    let group_key = match columns.is_empty() {
        true => "{}".to_owned(),
        false => format!("{{\"tagKeyColumns\":[{}]}}", columns.join(",")),
    };
    HashMap::from([("iox::influxql::group_key::metadata".to_owned(), group_key)])
}

/// Adds the metadata of a table: its name, and its tags in their original order, each after its length in four bytes.
fn add_table(metadata: &mut HashMap<String, String>, table: &str, columns: &Columns) {
    metadata.insert("iox::measurement::name".to_owned(), table.to_owned());
    let mut key = Vec::new();
    for (tag, _) in columns.iter().filter(|(_, kind)| *kind == ColumnKind::Tag) {
        key.extend_from_slice(&u32::try_from(tag.len()).unwrap_or(u32::MAX).to_le_bytes());
        key.extend_from_slice(tag.as_bytes());
    }
    metadata.insert("iox::series::key::v2".to_owned(), BASE64_STANDARD.encode(key));
}
