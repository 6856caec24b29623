//! `SELECT`: one query in SQL, and its answer in the form of InfluxQL.

use std::{collections::HashMap, sync::Arc};

use datafusion::{
    arrow::{
        array::{ArrayRef, RecordBatch, StringArray, UInt32Array},
        compute::{partition, take_record_batch},
        datatypes::{DataType, Field, Schema},
    },
    error::Result,
};

use super::{
    add_table,
    condition::{Split, TimeRange},
    fill::{Filling, fill},
    measurement_field, name, not_here, plan_error, schema_metadata, sql,
    statement::{Argument, Bins, Fill, Function, Select, Tags, What},
    tag_field, with_kind,
};
use crate::{
    clock::now_nanos,
    shared::Shared,
    store::{ColumnKind, Columns},
};

/// Runs a statement to its end. A table that is not there, or has none of the fields, gives an answer without rows and
/// with no column but the first.
pub(super) async fn run(
    shared: &Arc<Shared>,
    database: &str,
    select: &Select,
) -> Result<RecordBatch> {
    let nothing = || {
        let schema = Schema::new(vec![measurement_field()]).with_metadata(schema_metadata(&[]));
        RecordBatch::new_empty(Arc::new(schema))
    };
    let Some(columns) = shared.store.columns(database, &select.from) else {
        return Ok(nothing());
    };
    let Some(plan) = Plan::new(select, &columns)? else {
        return Ok(nothing());
    };
    let rows = sql(shared, database, &plan.sql(&columns)?).await?;
    plan.answer(rows, &columns)
}

/// A column of the answer behind `time` and the tags of `GROUP BY`.
#[derive(Debug)]
struct Output {
    name: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Column(String, ColumnKind),
    /// No column has the name.
    Missing,
    Call(Function, String),
}

#[derive(Debug)]
struct Plan<'a> {
    select: &'a Select,
    split: Split<'a>,
    /// Tags of `GROUP BY`, sorted.
    tags: Vec<String>,
    outputs: Vec<Output>,
    form: Form,
}

/// How rows become rows of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Raw,
    /// One row of each group, the one that the only function picks.
    Selector,
    Aggregate,
}

impl<'a> Plan<'a> {
    /// None if the table has none of the fields.
    fn new(select: &'a Select, columns: &Columns) -> Result<Option<Plan<'a>>> {
        let tags = tags_of(&select.tags, columns)?;
        let outputs = outputs(select, columns, &tags)?;
        let mut split = Split::new(select.condition.as_ref())?;
        let calls: Vec<Function> = outputs
            .iter()
            .filter_map(|output| match &output.source {
                Source::Call(function, _) => Some(*function),
                _ => None,
            })
            .collect();
        let asks_for_calls =
            select.columns.iter().any(|column| matches!(column.what, What::Call(..)));
        if !asks_for_calls {
            if select.bins.is_some() {
                return Err(plan_error("GROUP BY requires at least one aggregate function"));
            }
            let is_field = |output: &Output| matches!(&output.source, Source::Column(_, kind) if *kind != ColumnKind::Tag);
            let found = outputs.iter().any(is_field);
            let plan = Plan { select, split, tags, outputs, form: Form::Raw };
            return Ok(found.then_some(plan));
        }
        if calls.is_empty() {
            return Ok(None);
        }
        if outputs.iter().any(|output| matches!(output.source, Source::Missing)) {
            return Err(not_here("functions of fields that are not there beside others that are"));
        }
        let form = match &calls[..] {
            [function] if function.is_selector() => Form::Selector,
            _ => Form::Aggregate,
        };
        if form == Form::Aggregate && calls.len() < outputs.len() {
            return Err(plan_error("mixing aggregate and non-aggregate columns is not supported"));
        }
        if select.bins.is_some() {
            // Spans go on to this moment if nothing else is said.
            split.times.upper.get_or_insert_with(now_nanos);
        }
        Ok(Some(Plan { select, split, tags, outputs, form }))
    }

    /// Tags of `GROUP BY` that do not stand between `SELECT` and `FROM` as well.
    fn added_tags(&self) -> Vec<&str> {
        let is_selected = |tag: &str| self.outputs.iter().any(|output| output.is_column(tag));
        self.tags.iter().map(String::as_str).filter(|tag| !is_selected(tag)).collect()
    }

    /// The query, whose columns are those of the answer but for the first. Groups follow each other, and the
    /// latest rows are last where gaps are filled.
    fn sql(&self, columns: &Columns) -> Result<String> {
        let table = name(&self.select.from);
        let mut others = Vec::new();
        let fields: Vec<_> = self.outputs.iter().filter_map(Output::field).collect();
        if !fields.is_empty() {
            let any = fields.iter().map(|field| format!("{} IS NOT NULL", name(field)));
            others.push(format!("({})", any.collect::<Vec<_>>().join(" OR ")));
        }
        let condition = self.split.sql(columns, others)?;
        let bin = self.select.bins.map(bin);
        let time = match (&bin, self.form) {
            (Some(bin), _) => bin.clone(),
            (None, Form::Raw | Form::Selector) => "time".to_owned(),
            (None, Form::Aggregate) => {
                format!("to_timestamp_nanos({})", self.split.times.lower.unwrap_or(0))
            }
        };
        let mut items = vec![time];
        items.extend(self.added_tags().into_iter().map(name));
        items.extend(self.outputs.iter().map(|output| output.sql(self.form)));
        // Names in the answer may repeat.
        let items: Vec<_> =
            items.iter().enumerate().map(|(n, item)| format!("{item} AS c{n}")).collect();
        let items = items.join(", ");

        let order = self.order();
        let grouped =
            || bin.iter().cloned().chain(self.tags.iter().map(|tag| name(tag))).collect::<Vec<_>>();
        Ok(match self.form {
            Form::Raw => format!("SELECT {items} FROM {table} WHERE {condition}{order}"),
            Form::Selector => {
                let groups = match grouped().join(", ") {
                    groups if groups.is_empty() => groups,
                    groups => format!("PARTITION BY {groups} "),
                };
                let picked = self.picked();
                format!(
                    "SELECT {items} FROM (SELECT *, row_number() OVER ({groups}ORDER BY {picked}) \
                     AS \"iox::row\" FROM {table} WHERE {condition}) WHERE \"iox::row\" = 1{order}"
                )
            }
            Form::Aggregate => {
                // Without groups SQL has one row of no rows at all.
                let groups = match grouped().join(", ") {
                    groups if groups.is_empty() => " HAVING count(*) > 0".to_owned(),
                    groups => format!(" GROUP BY {groups}"),
                };
                format!("SELECT {items} FROM {table} WHERE {condition}{groups}{order}")
            }
        })
    }

    /// The order in which the row that the selector picks is the first of its group.
    fn picked(&self) -> String {
        self.outputs
            .iter()
            .find_map(|output| match &output.source {
                Source::Call(function, field) => Some(match function {
                    Function::First => "time ASC".to_owned(),
                    Function::Last => "time DESC".to_owned(),
                    Function::Max => format!("{} DESC, time ASC", name(field)),
                    _ => format!("{} ASC, time ASC", name(field)),
                }),
                _ => None,
            })
            .unwrap_or_else(|| "time ASC".to_owned())
    }

    fn order(&self) -> String {
        let place = |n: usize| format!("c{n} ASC NULLS LAST");
        let mut order: Vec<_> = self.keys().into_iter().map(place).collect();
        let descending = self.select.descending && self.filling().is_none();
        order.push(format!("c0 {}", if descending { "DESC" } else { "ASC" }));
        if self.form == Form::Raw {
            let mut projected: Vec<_> = self
                .outputs
                .iter()
                .enumerate()
                .filter(|(_, output)| output.is_tag() && !self.is_key(output))
                .map(|(n, output)| (&output.name, self.first_output() + n))
                .collect();
            projected.sort();
            order.extend(projected.into_iter().map(|(_, n)| place(n)));
        }
        format!(" ORDER BY {}", order.join(", "))
    }

    fn is_key(&self, output: &Output) -> bool {
        self.tags.iter().any(|tag| output.is_column(tag))
    }

    /// The place of the first output among the columns of the query.
    fn first_output(&self) -> usize {
        1 + self.added_tags().len()
    }

    /// The places of the tags of `GROUP BY` among the columns of the query.
    fn keys(&self) -> Vec<usize> {
        let added = self.added_tags();
        let place = |tag: &String| {
            added.iter().position(|added| added == tag).map(|n| 1 + n).or_else(|| {
                let selected = self.outputs.iter().position(|output| output.is_column(tag));
                selected.map(|n| self.first_output() + n)
            })
        };
        self.tags.iter().filter_map(place).collect()
    }

    fn filling(&self) -> Option<Filling> {
        let bins = self.select.bins?;
        let TimeRange { lower, upper } = self.split.times;
        (self.select.fill != Fill::None).then(|| Filling {
            bins,
            lower,
            upper: upper.unwrap_or(i64::MAX),
            fill: self.select.fill,
            first_value: self.first_output(),
            counts: self.outputs.iter().map(Output::is_count).collect(),
        })
    }

    /// The rows of the query in the form of InfluxQL.
    fn answer(&self, rows: RecordBatch, columns: &Columns) -> Result<RecordBatch> {
        let keys = self.keys();
        let key_columns: Vec<ArrayRef> = keys.iter().map(|n| rows.column(*n).clone()).collect();
        let mut series = match (rows.num_rows(), key_columns.is_empty()) {
            (0, _) => Vec::new(),
            (all, true) => std::iter::once(0..all).collect(),
            (_, false) => partition(&key_columns)?.ranges(),
        };
        let mut rows = rows;
        let filling = self.filling();
        if let Some(filling) = &filling {
            (rows, series) = fill(&rows, &series, filling)?;
        }
        let reversed = filling.is_some() && self.select.descending;
        let mut wanted: Vec<u32> = Vec::new();
        for rows in series {
            let rows = rows.start as u32..rows.end as u32;
            let one: Vec<u32> = if reversed { rows.rev().collect() } else { rows.collect() };
            wanted.extend(&one[self.select.range.of(0..one.len())]);
        }
        let rows = take_record_batch(&rows, &UInt32Array::from(wanted))?;

        let measurements = std::iter::repeat_n(self.select.from.as_str(), rows.num_rows());
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(StringArray::from_iter_values(measurements))];
        arrays.extend(rows.columns().iter().cloned());
        let places: Vec<_> =
            self.tags.iter().map(String::as_str).zip(keys.iter().map(|n| n + 1)).collect();
        let mut metadata = schema_metadata(&places);
        add_table(&mut metadata, &self.select.from, columns);
        let schema = Schema::new(self.fields(&rows)).with_metadata(metadata);
        Ok(RecordBatch::try_new(Arc::new(schema), arrays)?)
    }

    /// The names and the metadata of the answer's columns. What a function has made has no kind, nor has its time.
    fn fields(&self, rows: &RecordBatch) -> Vec<Field> {
        let types: Vec<DataType> =
            rows.columns().iter().map(|column| column.data_type().clone()).collect();
        let time = Field::new("time", types[0].clone(), false);
        let mut fields = vec![measurement_field()];
        fields.push(match self.form {
            Form::Raw => with_kind(time, "iox::column_type::timestamp"),
            Form::Selector | Form::Aggregate => time,
        });
        for (tag, data_type) in self.added_tags().into_iter().zip(&types[1..]) {
            fields.push(tag_field(tag, data_type.clone()));
        }
        for (output, data_type) in self.outputs.iter().zip(&types[self.first_output()..]) {
            let field = Field::new(&output.name, data_type.clone(), true);
            fields.push(match &output.source {
                Source::Column(_, kind) if self.form == Form::Raw || self.is_key(output) => {
                    with_kind(field, kind.name())
                }
                _ => field,
            });
        }
        fields
    }
}

impl Output {
    fn is_column(&self, column: &str) -> bool {
        matches!(&self.source, Source::Column(name, _) if name == column)
    }

    fn is_tag(&self) -> bool {
        matches!(&self.source, Source::Column(_, ColumnKind::Tag))
    }

    fn is_count(&self) -> bool {
        matches!(&self.source, Source::Call(Function::Count, _))
    }

    /// The field that it shows or is made of. A row without any of them is none of the answer.
    fn field(&self) -> Option<&str> {
        match &self.source {
            Source::Column(field, kind) if *kind != ColumnKind::Tag => Some(field),
            Source::Call(_, field) => Some(field),
            _ => None,
        }
    }

    fn sql(&self, form: Form) -> String {
        let (function, field) = match &self.source {
            Source::Column(column, _) => return name(column),
            Source::Missing => return "NULL".to_owned(),
            Source::Call(_, field) if form == Form::Selector => return name(field),
            Source::Call(function, field) => (function, name(field)),
        };
        let of_times = |function| {
            format!("{function}({field} ORDER BY time) FILTER (WHERE {field} IS NOT NULL)")
        };
        match function {
            Function::Mean => format!("avg({field})"),
            Function::Spread => format!("max({field}) - min({field})"),
            Function::First => of_times("first_value"),
            Function::Last => of_times("last_value"),
            other => format!("{}({field})", other.name()),
        }
    }
}

fn bin(bins: Bins) -> String {
    let Bins { width, offset } = bins;
    format!("date_bin(INTERVAL '{width} NANOSECONDS', time, to_timestamp_nanos({offset}))")
}

/// The tags of `GROUP BY`, sorted, each once.
fn tags_of(tags: &Tags, columns: &Columns) -> Result<Vec<String>> {
    let mut found: Vec<String> = match tags {
        Tags::All => columns
            .iter()
            .filter(|(_, kind)| *kind == ColumnKind::Tag)
            .map(|(tag, _)| tag.to_owned())
            .collect(),
        Tags::Named(tags) => tags.clone(),
    };
    for tag in &found {
        if !matches!(columns.find(tag), Some((_, ColumnKind::Tag))) {
            return Err(not_here(format!("GROUP BY of what is no tag, as {tag}")));
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// The columns of the answer, each with a name of its own.
fn outputs(select: &Select, columns: &Columns, group_by: &[String]) -> Result<Vec<Output>> {
    let mut outputs: Vec<Output> = Vec::new();
    let mut sorted: Vec<(&str, ColumnKind)> = columns.iter().collect();
    sorted.sort_by_key(|(column, _)| *column);
    for selected in &select.columns {
        let alias = selected.alias.as_deref();
        match &selected.what {
            What::All if alias.is_some() => return Err(not_here("names of *")),
            What::All => {
                let others =
                    sorted.iter().filter(|(column, _)| !group_by.iter().any(|tag| tag == column));
                outputs.extend(others.map(|(column, kind)| Output {
                    name: (*column).to_owned(),
                    source: Source::Column((*column).to_owned(), *kind),
                }));
            }
            What::Column(time) if time == "time" && alias.is_some() => {
                return Err(not_here("names of the time"));
            }
            // It is the second column, whether it is asked for or not.
            What::Column(time) if time == "time" => {}
            What::Column(column) => {
                let source = match columns.find(column) {
                    Some((_, kind)) => Source::Column(column.clone(), kind),
                    None => Source::Missing,
                };
                outputs.push(Output { name: alias.unwrap_or(column).to_owned(), source });
            }
            What::Call(function, Argument::All) => {
                let fits = |kind: ColumnKind| kind != ColumnKind::Tag && fits(*function, kind);
                let prefix = alias.unwrap_or(function.name());
                outputs.extend(sorted.iter().filter(|(_, kind)| fits(*kind)).map(|(field, _)| {
                    let source = Source::Call(*function, (*field).to_owned());
                    Output { name: format!("{prefix}_{field}"), source }
                }));
            }
            What::Call(function, Argument::Field(field)) => {
                let source = match columns.find(field) {
                    None => Source::Missing,
                    Some((_, kind)) if fits(*function, kind) => {
                        Source::Call(*function, field.clone())
                    }
                    Some((_, kind)) => {
                        let (function, kind) = (function.name(), kind.name());
                        return Err(plan_error(format!("{function}({field}): {field} is {kind}")));
                    }
                };
                outputs.push(Output { name: alias.unwrap_or(function.name()).to_owned(), source });
            }
        }
    }
    let mut seen = HashMap::from([("time".to_owned(), 0)]);
    for output in &mut outputs {
        let count = seen.entry(output.name.clone()).and_modify(|count| *count += 1).or_insert(0);
        if *count > 0 {
            output.name = format!("{}_{count}", output.name);
        }
    }
    Ok(outputs)
}

fn fits(function: Function, kind: ColumnKind) -> bool {
    match kind {
        ColumnKind::Tag => false,
        ColumnKind::Float | ColumnKind::Integer | ColumnKind::Unsigned => true,
        ColumnKind::Text | ColumnKind::Boolean => !function.needs_numbers(),
    }
}
