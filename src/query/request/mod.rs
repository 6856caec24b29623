//! A query that is being put together: its settings, and the calls that send it.

mod sending;
mod settings;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(feature = "parquet")]
use super::answer::HttpAnswer;
use super::answer::{
    AnswerLimits, CancelHandle, FlightAnswer, ProgressCallback, Query, QueryAnswer, Retries, Wait,
};
use super::call::{Call, SharedStage};
use super::client::QueryClient;
#[cfg(feature = "parquet")]
use super::over_http::HttpStatement;
use super::statement::Statement;
use crate::config::Headers;
use crate::{Error, Result};

/// A query that has not been sent: made by [`Client::query`](crate::Client::query).
///
/// Its last call decides the form of the answer: [`table`](Self::table) for everything at once,
/// [`reader`](Self::reader) for one batch after the other. A mistake in a setting is reported there, before
/// anything is sent.
///
/// ```no_run
/// use influxdb3_blocking::{Client, Language};
///
/// # fn main() -> Result<(), influxdb3_blocking::Error> {
/// let client = Client::from_env()?;
/// let sql = "SELECT * FROM home WHERE room = $room";
/// let table = client.query(sql).param("room", "Kitchen").table()?;
/// let names = client.query("SHOW MEASUREMENTS");
/// let names = names.language(Language::InfluxQl).table()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a query does nothing until `.table()` or `.reader()` sends it"]
pub struct QueryRequest<'a> {
    client: &'a QueryClient,
    statement: Statement,
    database: Option<Arc<str>>,
    timeout: Option<Duration>,
    headers: Headers,
    retries: Retries,
    limits: AnswerLimits,
    cancel: CancelHandle,
    on_progress: Option<ProgressCallback>,
    #[cfg(feature = "parquet")]
    over_http: bool,
    problems: Vec<String>,
}

impl<'a> QueryRequest<'a> {
    pub(crate) fn new(client: &'a QueryClient, text: &str) -> Self {
        Self {
            client,
            statement: Statement::new(text),
            database: client.config().database.clone(),
            timeout: client.config().query_timeout,
            headers: Headers::default(),
            retries: Retries::default(),
            limits: AnswerLimits::default(),
            cancel: CancelHandle::default(),
            on_progress: None,
            #[cfg(feature = "parquet")]
            over_http: false,
            problems: Vec::new(),
        }
    }

    /// Sends the query for an answer that is needed as a whole. The deadline is sent too, so that the server can end a
    /// query that would be answered too late.
    fn whole(self) -> Result<QueryAnswer> {
        let deadline = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        self.open(Wait::Until(deadline), deadline)
    }

    /// Sends the query and waits for the schema of its answer.
    ///
    /// `deadline` is sent to the server; `wait` bounds the caller's own waiting.
    ///
    /// # Errors
    ///
    /// A setting is wrong, or there is no database ([`ErrorKind::Config`](crate::ErrorKind::Config)); otherwise an
    /// error of the network or the server.
    fn open(self, wait: Wait, deadline: Option<Instant>) -> Result<QueryAnswer> {
        let mut problems = self.problems;
        if self.database.is_none() {
            problems.push(
                "there is no database to query: set .database(…) on the client or on the query, or the variable INFLUX_DATABASE"
                    .into(),
            );
        }
        let (Some(database), true) = (self.database, problems.is_empty()) else {
            return Err(Error::config(problems.join("; ")));
        };
        let stage = SharedStage::default();
        let query = Query {
            call: Call {
                database: Arc::clone(&database),
                headers: self.headers,
                begin: None,
                deadline,
                connect_limit: None,
                token: None,
                stage,
            },
            wait,
            retries: self.retries,
            limits: self.limits,
            cancel: self.cancel,
            on_progress: self.on_progress,
        };
        #[cfg(feature = "parquet")]
        if self.over_http {
            let statement = HttpStatement {
                language: self.statement.language,
                body: self.statement.http_body(&database).into(),
            };
            let answer = HttpAnswer::open(self.client, query, statement)?;
            return Ok(QueryAnswer::Http(Box::new(answer)));
        }
        let ticket = self.statement.flight_ticket(&database).into();
        let answer = FlightAnswer::open(self.client, query, ticket)?;
        Ok(QueryAnswer::Flight(Box::new(answer)))
    }
}

/// Without the values of parameters and headers, which may be secrets.
impl fmt::Debug for QueryRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryRequest")
            .field("text", &self.statement.text)
            .field("language", &self.statement.language)
            .field("database", &self.database)
            .field("timeout", &self.timeout)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}
