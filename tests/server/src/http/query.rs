//! Queries over HTTP: `/api/v3/query_sql` and `/api/v3/query_influxql`.

use std::sync::Arc;

use bytes::Bytes;
use datafusion::{
    arrow::{array::RecordBatch, csv, datatypes::SchemaRef, json, util::pretty},
    error::DataFusionError,
};
use futures::{TryStreamExt, stream};
use http::{
    HeaderValue, Method, Response, StatusCode, header::ACCEPT, header::CONTENT_TYPE, request::Parts,
};
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;
use parquet::arrow::ArrowWriter;
use serde::Deserialize;

use super::Body;
use crate::{
    flight::{
        sql,
        ticket::{Language, Params},
        worker,
    },
    influxql,
    shared::Shared,
    tasks::Tasks,
};

/// What is asked: in the query string of a GET, or as the JSON of a POST.
#[derive(Debug, Deserialize)]
struct Question {
    db: String,
    q: String,
    format: Option<String>,
    params: Option<Params>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    JsonLines,
    Csv,
    Pretty,
    Parquet,
}

/// Why there is no answer: a status and a text.
struct Refusal(StatusCode, String);

/// The language of an endpoint; `None` of other paths.
pub(super) fn language_of(path: &str) -> Option<Language> {
    match path {
        "/api/v3/query_sql" => Some(Language::Sql),
        "/api/v3/query_influxql" => Some(Language::InfluxQl),
        _ => None,
    }
}

/// Runs the query to its end, then answers.
pub(super) async fn answer(
    shared: &Arc<Shared>,
    tasks: &Tasks,
    language: Language,
    parts: &Parts,
    body: &Bytes,
) -> Response<Body> {
    match run(shared, tasks, language, parts, body).await {
        Ok((format, bytes)) => {
            // Without a length: the real server sends what it has, piece by piece.
            let pieces = stream::iter([Ok::<_, std::convert::Infallible>(Frame::data(bytes))]);
            let mut answer = Response::new(Body::new(StreamBody::new(pieces)));
            let content_type = HeaderValue::from_static(format.content_type());
            answer.headers_mut().insert(CONTENT_TYPE, content_type);
            answer
        }
        Err(Refusal(status, text)) => {
            let mut answer = Response::new(Body::new(Full::new(Bytes::from(text))));
            *answer.status_mut() = status;
            answer
        }
    }
}

async fn run(
    shared: &Arc<Shared>,
    tasks: &Tasks,
    language: Language,
    parts: &Parts,
    body: &Bytes,
) -> Result<(Format, Bytes), Refusal> {
    let question = Question::read(parts, body)?;
    let format = Format::find(question.format.as_deref(), parts)?;
    if !shared.store.has_database(&question.db) {
        let text = format!("{{\"error\":\"query error: database not found: {}\"}}", question.db);
        return Err(Refusal(StatusCode::NOT_FOUND, text));
    }
    let failed = |text: String| Refusal(StatusCode::INTERNAL_SERVER_ERROR, text);
    let planning = |error: &dyn std::fmt::Display| match shared.release.blames_queries() {
        true => Refusal(StatusCode::BAD_REQUEST, error.to_string()),
        false => failed(format!("query error: error while planning query: {error}")),
    };
    let batches = match language {
        Language::Sql => {
            let params = question.params.map(|Params(params)| params.into_iter().collect());
            let query =
                sql::query(shared.clone(), question.db, question.q, params.unwrap_or_default());
            worker::run(tasks, query).await.map_err(|error| planning(&error))?
        }
        Language::InfluxQl => {
            let params = question.params.map(|Params(params)| params.into_iter().collect());
            let query = influxql::query(
                shared.clone(),
                question.db,
                question.q,
                params.unwrap_or_default(),
            );
            worker::run(tasks, query).await.map_err(|error| planning(&error))?
        }
    };
    let schema = batches.schema();
    let batches: Vec<RecordBatch> = batches
        .try_collect()
        .await
        .map_err(|error: DataFusionError| failed(format!("datafusion error: {error}")))?;
    let bytes = format.write(&schema, &batches).map_err(failed)?;
    Ok((format, bytes))
}

impl Question {
    fn read(parts: &Parts, body: &[u8]) -> Result<Question, Refusal> {
        let bad = |text: String| Refusal(StatusCode::BAD_REQUEST, text);
        if parts.method == Method::POST {
            return serde_json::from_slice(body)
                .map_err(|error| bad(format!("serde json error: {error}")));
        }
        let query = parts.uri.query();
        let query = query.ok_or_else(|| bad("missing query parameters 'db' and 'q'".to_owned()))?;
        let (mut db, mut q, mut format, mut params) = (None, None, None, None);
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            let slot = match &*key {
                "db" => &mut db,
                "q" => &mut q,
                "format" => &mut format,
                "params" => &mut params,
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(bad(format!("serde error: duplicate field `{key}`")));
            }
        }
        let missing = |name: &str| bad(format!("serde error: missing field `{name}`"));
        let params = params.map(|params| serde_json::from_str(&params)).transpose();
        Ok(Question {
            db: db.ok_or_else(|| missing("db"))?,
            q: q.ok_or_else(|| missing("q"))?,
            format,
            params: params.map_err(|error| bad(format!("serde json error: {error}")))?,
        })
    }
}

impl Format {
    /// The format that is named, or else the one that is accepted.
    fn find(named: Option<&str>, parts: &Parts) -> Result<Format, Refusal> {
        let accepted = || {
            let accept =
                parts.headers.get(ACCEPT).map(|value| String::from_utf8_lossy(value.as_bytes()));
            match accept.as_deref() {
                None | Some("application/json") => Ok(Format::Json),
                Some("application/vnd.apache.parquet") => Ok(Format::Parquet),
                Some("text/csv") => Ok(Format::Csv),
                Some("text/plain") => Ok(Format::Pretty),
                Some(other) if other.contains("*/*") || other.contains("text/html") => {
                    Ok(Format::Json)
                }
                Some(other) => Err(other.to_owned()),
            }
        };
        let found = match named {
            None => accepted(),
            Some("json") => Ok(Format::Json),
            Some("jsonl" | "json_lines") => Ok(Format::JsonLines),
            Some("csv") => Ok(Format::Csv),
            Some("pretty") => Ok(Format::Pretty),
            Some("parquet") => Ok(Format::Parquet),
            Some(other) => Err(other.to_owned()),
        };
        found.map_err(|format| {
            Refusal(
                StatusCode::BAD_REQUEST,
                format!("requested format or mime type was invalid: {format}"),
            )
        })
    }

    fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::JsonLines => "application/jsonl",
            Format::Csv => "text/csv",
            Format::Pretty => "text/plain; charset=utf-8",
            Format::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// The whole answer. Without rows it is nothing in most formats: no header, no file.
    fn write(self, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Bytes, String> {
        let is_empty = batches.iter().all(|batch| batch.num_rows() == 0);
        if is_empty && matches!(self, Format::JsonLines | Format::Csv | Format::Parquet) {
            return Ok(Bytes::new());
        }
        let mut out = Vec::new();
        let batches_of = || batches.iter().collect::<Vec<_>>();
        match self {
            Format::Json => {
                let mut writer = json::ArrayWriter::new(&mut out);
                writer.write_batches(&batches_of()).map_err(text)?;
                writer.finish().map_err(text)?;
            }
            Format::JsonLines => {
                let mut writer = json::LineDelimitedWriter::new(&mut out);
                writer.write_batches(&batches_of()).map_err(text)?;
                writer.finish().map_err(text)?;
            }
            Format::Csv => {
                let mut writer = csv::Writer::new(&mut out);
                batches.iter().try_for_each(|batch| writer.write(batch)).map_err(text)?;
            }
            Format::Pretty => {
                out =
                    pretty::pretty_format_batches(batches).map_err(text)?.to_string().into_bytes();
            }
            Format::Parquet => {
                let mut writer =
                    ArrowWriter::try_new(&mut out, schema.clone(), None).map_err(text)?;
                batches.iter().try_for_each(|batch| writer.write(batch)).map_err(text)?;
                writer.close().map_err(text)?;
            }
        }
        Ok(out.into())
    }
}

fn text(error: impl std::fmt::Display) -> String {
    format!("datafusion error: {error}")
}
