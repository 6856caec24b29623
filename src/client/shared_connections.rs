use std::sync::Arc;
#[cfg(feature = "query")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::config::Config;
use crate::line_protocol::TagRules;
#[cfg(feature = "query")]
use crate::query::QueryClient;
use crate::write::{Http, StartBatching, Writer};
use crate::{Result, WriteOptions};

/// What clients share that were made from one another: their settings, the connections to the server, and the thread for
/// queries. It counts those of them that are open; the last one that is closed ends the thread.
pub(super) struct SharedConnections {
    config: Arc<Config>,
    rules: Arc<TagRules>,
    http: Arc<Http>,
    #[cfg(feature = "query")]
    query: QueryClient,
    /// What a closed client queries with: it refuses every query.
    #[cfg(feature = "query")]
    closed_query: OnceLock<QueryClient>,
    open: AtomicUsize,
}

impl SharedConnections {
    /// For one client, which is counted. At most `idle` connections for writes are kept while they are not used.
    pub(super) fn new(config: Config, rules: TagRules, idle: usize) -> Self {
        let http = Arc::new(Http::new(&config, idle));
        let config = Arc::new(config);
        Self {
            rules: Arc::new(rules),
            http,
            #[cfg(feature = "query")]
            query: QueryClient::new(config.clone()),
            #[cfg(feature = "query")]
            closed_query: OnceLock::new(),
            config,
            open: AtomicUsize::new(1),
        }
    }

    /// What one client writes with. `start` makes its batches if the options want them.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File): the directory of the spool cannot be used.
    pub(super) fn writer(
        &self,
        options: &WriteOptions,
        start: Option<StartBatching>,
    ) -> Result<Writer> {
        let (http, config) = (&self.http, &self.config);
        let batching = start
            .filter(|_| options.is_batching())
            .map(|start| start(options, Arc::clone(http), Arc::clone(config)))
            .transpose()?;
        Ok(Writer::new(Arc::clone(config), Arc::clone(&self.rules), Arc::clone(http), batching))
    }

    pub(super) fn http(&self) -> &Http {
        &self.http
    }

    /// What an open client queries with.
    #[cfg(feature = "query")]
    pub(super) fn query(&self) -> &QueryClient {
        &self.query
    }

    /// What a closed client queries with, as the clients that share the connections may be open still.
    #[cfg(feature = "query")]
    pub(super) fn closed_query(&self) -> &QueryClient {
        self.closed_query.get_or_init(|| {
            let closed = QueryClient::new(self.config.clone());
            closed.close();
            closed
        })
    }

    /// Counts one more client.
    pub(super) fn join(&self) {
        self.open.fetch_add(1, Ordering::AcqRel);
    }

    /// Counts one client less; says whether it was the last one.
    pub(super) fn leave(&self) -> bool {
        self.open.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Ends the thread for queries.
    pub(super) fn close_queries(&self) {
        #[cfg(feature = "query")]
        self.query.close();
    }
}
