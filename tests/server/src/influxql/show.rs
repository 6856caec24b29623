//! `SHOW`: what measurements, fields, tags and values of tags there are.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray, RecordBatch, StringArray},
        compute::cast,
        datatypes::{DataType, Field, Schema},
    },
    error::Result,
};

use super::{
    add_table,
    condition::{Condition, Split, text_of},
    measurement_field, name, schema_metadata, sql,
    statement::{Show, Shown},
    tag_field,
};
use crate::{
    clock::now_nanos,
    shared::Shared,
    store::{ColumnKind, Columns},
};

/// A day: without a condition on the time, values of tags are those of the last one.
const DAY: i64 = 24 * 3600 * 1_000_000_000;

/// Runs a statement to its end.
pub(super) async fn run(shared: &Arc<Shared>, database: &str, show: &Show) -> Result<RecordBatch> {
    let tables: Vec<(String, Arc<Columns>)> = shared
        .store
        .tables(database)
        .into_iter()
        .filter(|table| show.from.is_empty() || show.from.contains(table))
        .filter_map(|table| {
            let columns = shared.store.columns(database, &table)?;
            Some((table, columns))
        })
        .collect();
    let mut metadata = schema_metadata(&[]);
    let (fields, rows) = match &show.what {
        Shown::Measurements => {
            let rows = tables.iter().map(|(table, _)| ["measurements".to_owned(), table.clone()]);
            (vec![Field::new("name", DataType::Utf8, false)], within(show, rows))
        }
        Shown::TagKeys => {
            let rows = sorted(&tables, |kind| kind == ColumnKind::Tag);
            let rows = rows.map(|(table, tag, _)| [table, tag]);
            (vec![Field::new("tagKey", DataType::Utf8, false)], within(show, rows))
        }
        Shown::FieldKeys => {
            let rows = sorted(&tables, |kind| kind != ColumnKind::Tag);
            let rows = rows.map(|(table, field, kind)| [table, field, type_of(kind).to_owned()]);
            let fields =
                ["fieldKey", "fieldType"].map(|name| Field::new(name, DataType::Utf8, false));
            (fields.to_vec(), within(show, rows))
        }
        Shown::TagValues { keys, condition } => {
            let with_keys = sorted(&tables, |kind| kind == ColumnKind::Tag)
                .filter(|(_, tag, _)| keys.contains(tag));
            let mut rows = Vec::new();
            for (table, tag, _) in with_keys {
                for value in values(shared, database, &table, &tag, condition.as_ref()).await? {
                    rows.push([table.clone(), tag.clone(), value]);
                }
            }
            // Of several measurements together no recorded answer says anything.
            if let [(table, columns)] = &tables[..] {
                add_table(&mut metadata, table, columns);
            }
            let key = Field::new("key", DataType::Utf8, false);
            (vec![key, tag_field("value", DataType::Utf8)], within(show, rows))
        }
    };
    let schema = Schema::new([vec![measurement_field()], fields].concat()).with_metadata(metadata);
    let columns = (0..schema.fields().len())
        .map(|n| {
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row[n]))) as ArrayRef
        })
        .collect();
    Ok(RecordBatch::try_new(Arc::new(schema), columns)?)
}

/// Columns of the tables, sorted by the names of both.
fn sorted(
    tables: &[(String, Arc<Columns>)],
    wanted: impl Fn(ColumnKind) -> bool,
) -> impl Iterator<Item = (String, String, ColumnKind)> {
    let mut found: Vec<(String, String, ColumnKind)> = tables
        .iter()
        .flat_map(|(table, columns)| {
            columns.iter().map(|(column, kind)| (table.clone(), column.to_owned(), kind))
        })
        .filter(|(_, _, kind)| wanted(*kind))
        .collect();
    found.sort_by(|(a, b, _), (c, d, _)| (a, b).cmp(&(c, d)));
    found.into_iter()
}

/// `LIMIT` and `OFFSET` count for each measurement, which is the first cell of a row.
fn within<const N: usize>(
    show: &Show,
    rows: impl IntoIterator<Item = [String; N]>,
) -> Vec<Vec<String>> {
    let rows: Vec<[String; N]> = rows.into_iter().collect();
    rows.chunk_by(|a, b| a[0] == b[0])
        .flat_map(|rows| &rows[show.range.of(0..rows.len())])
        .map(|row| row.to_vec())
        .collect()
}

fn type_of(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Float => "float",
        ColumnKind::Integer => "integer",
        ColumnKind::Unsigned => "unsigned",
        ColumnKind::Boolean => "boolean",
        ColumnKind::Text | ColumnKind::Tag => "string",
    }
}

/// The values of a tag, sorted.
async fn values(
    shared: &Arc<Shared>,
    database: &str,
    table: &str,
    tag: &str,
    condition: Option<&Condition>,
) -> Result<Vec<String>> {
    let Some(columns) = shared.store.columns(database, table) else {
        return Ok(Vec::new());
    };
    let mut split = Split::new(condition)?;
    if split.times.lower.is_none() && split.times.upper.is_none() {
        split.times.lower = Some(now_nanos().saturating_sub(DAY));
    }
    let condition = split.sql(&columns, vec![format!("{} IS NOT NULL", name(tag))])?;
    let query = format!(
        "SELECT DISTINCT {} AS value FROM {} WHERE {condition} ORDER BY value",
        text_of(tag),
        name(table)
    );
    let rows = sql(shared, database, &query).await?;
    let values = cast(rows.column(0), &DataType::Utf8)?;
    Ok(values.as_string::<i32>().iter().flatten().map(str::to_owned).collect())
}
