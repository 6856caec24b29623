//! One request over HTTP, and what came of it. The only room that names ureq.

mod agent;
mod clusters;
mod connect;
mod failure;
#[cfg(feature = "tls")]
mod tls;

use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::{HeaderName, HeaderValue, Response};
use ureq::{Agent, SendBody};

use self::clusters::Clusters;
use self::failure::{Failure, WatchedBody};
use super::answer::Answer;
use crate::config::{Config, Headers};
use crate::{Error, Result};

/// The HTTP side of a client: a pool of connections to one server.
pub(crate) struct Http {
    shared: Mutex<Shared>,
    /// `http://host:port/prefix`
    base: String,
    connect_timeout: Duration,
    authorization: Option<HeaderValue>,
    headers: Headers,
    clusters: Clusters,
    #[cfg(feature = "gzip")]
    pub(super) gzip: crate::write::gzip::Gzip,
}

struct Shared {
    /// None once all users are gone.
    agent: Option<Agent>,
    /// How many clients that are not closed share it.
    users: usize,
}

/// A request that is ready to be sent.
pub(crate) struct Post<'a> {
    /// With a leading slash.
    pub(crate) path_and_query: &'a str,
    /// One behind the other.
    pub(crate) body: &'a [&'a [u8]],
    /// Whether `body` is compressed.
    pub(crate) gzip: bool,
    pub(crate) headers: &'a Headers,
    pub(crate) timeout: Duration,
    /// Whether sending it twice changes nothing.
    pub(crate) repeatable: bool,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Http {
    /// Connects to nothing yet. `connections` is how many idle ones are kept.
    pub(crate) fn new(config: &Config, connections: usize) -> Result<Self> {
        let authorization = match &config.token {
            None => None,
            Some(token) => {
                let value = format!("{} {}", config.auth_scheme, token.reveal());
                let mut value = HeaderValue::try_from(value)
                    .map_err(|_| Error::config("the token cannot stand in a header"))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let agent = agent::new(config, connections);
        Ok(Self {
            shared: Mutex::new(Shared { agent: Some(agent), users: 1 }),
            base: config.endpoint.to_string(),
            connect_timeout: config.connect_timeout,
            authorization,
            headers: config.headers.clone(),
            clusters: Clusters::default(),
            #[cfg(feature = "gzip")]
            gzip: crate::write::gzip::Gzip::default(),
        })
    }

    /// One more client shares it; none can once all are gone.
    pub(crate) fn join(&self) -> Result<()> {
        let mut shared = self.lock();
        if shared.agent.is_none() {
            return Err(Error::closed());
        }
        shared.users += 1;
        Ok(())
    }

    /// One client less shares it. The last one ends idle connections, and if `interrupt` requests under way too.
    pub(crate) fn retire(&self, interrupt: bool) {
        let mut shared = self.lock();
        shared.users -= 1;
        if shared.users > 0 {
            return;
        }
        let agent = shared.agent.take();
        drop(shared);
        if let Some(agent) = agent.filter(|_| interrupt) {
            agent.shutdown();
        }
    }

    fn agent(&self) -> Result<Agent> {
        self.lock().agent.clone().ok_or_else(Error::closed)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request and reads the answer, whatever its status.
    ///
    /// A connection that the server closed while it was idle shows as one that breaks without an answer. The
    /// request is then sent once more over a new one, if nothing was sent or a repetition changes nothing.
    pub(crate) fn post(&self, post: &Post<'_>) -> Result<Answer> {
        let agent = self.agent()?;
        let start = Instant::now();
        match self.attempt(&agent, Some(post), post.path_and_query, post.timeout, false) {
            Err(failure) if failure.is_stale() && (post.repeatable || !failure.progress.began) => {
                let left = post.timeout.saturating_sub(start.elapsed());
                if left.is_zero() {
                    return Err(failure.into_error(&self.base, post.timeout));
                }
                log::debug!(
                    "the connection was closed without an answer: one more try on a new one"
                );
                // Whatever comes of the second try, the first may have been carried out.
                let in_doubt = failure.progress.began;
                match self.attempt(&agent, Some(post), post.path_and_query, left, true) {
                    Ok(answer) => Ok(Answer { in_doubt, ..answer }),
                    Err(failure) => {
                        let error = failure.into_error(&self.base, post.timeout);
                        let in_doubt = in_doubt || error.in_doubt();
                        Err(error.with_in_doubt(in_doubt))
                    }
                }
            }
            result => result.map_err(|failure| failure.into_error(&self.base, post.timeout)),
        }
    }

    /// Gets `path`, which may be asked for any number of times.
    pub(crate) fn get(&self, path: &str, timeout: Duration) -> Result<Answer> {
        let agent = self.agent()?;
        match self.attempt(&agent, None, path, timeout, false) {
            Err(failure) if failure.is_stale() => self.attempt(&agent, None, path, timeout, true),
            result => result,
        }
        .map_err(|failure| failure.into_error(&self.base, timeout).with_in_doubt(false))
    }

    fn attempt(
        &self,
        agent: &Agent,
        post: Option<&Post<'_>>,
        path_and_query: &str,
        timeout: Duration,
        fresh: bool,
    ) -> Result<Answer, Failure> {
        let url = format!("{}{path_and_query}", self.base);
        let mut body = WatchedBody::new(post.map_or(&[], |post| post.body));
        let length = body.left();
        // ureq adds it to the time of day, which must not overflow.
        let timeout = timeout.min(LONGEST);
        let connect = self.connect_timeout.min(timeout);
        let result = match post {
            None => {
                let request = agent.get(url).config().timeout_global(Some(timeout));
                let request = request.timeout_resolve(Some(connect)).timeout_connect(Some(connect));
                let request = if fresh { request.max_idle_age(Duration::ZERO) } else { request };
                self.with_headers(request.build(), &Headers::default()).call()
            }
            Some(post) => {
                let request = agent.post(url).config().timeout_global(Some(timeout));
                let request = request.timeout_resolve(Some(connect)).timeout_connect(Some(connect));
                let request = if fresh { request.max_idle_age(Duration::ZERO) } else { request };
                let mut request = self
                    .with_headers(request.build(), post.headers)
                    .header("content-length", length);
                if !post.headers.contains("content-type") {
                    request = request.header("content-type", "text/plain; charset=utf-8");
                }
                if post.gzip {
                    request = request.header("content-encoding", "gzip");
                }
                if length > EXPECT_ABOVE {
                    request = request.header("expect", "100-continue");
                }
                request.send(SendBody::from_reader(&mut body))
            }
        };
        match result {
            Ok(response) => {
                let cluster =
                    response.headers().get("cluster-uuid").and_then(|id| id.to_str().ok());
                cluster.inspect(|cluster| self.clusters.note(&self.base, cluster));
                Ok(read_answer(response))
            }
            Err(error) => Err(Failure { error, progress: body.progress() }),
        }
    }

    fn with_headers<B>(
        &self,
        mut request: ureq::RequestBuilder<B>,
        own: &Headers,
    ) -> ureq::RequestBuilder<B> {
        let headers = self.headers.with(own);
        if let Some(value) =
            self.authorization.as_ref().filter(|_| !headers.contains("authorization"))
        {
            request = request.header("authorization", value.clone());
        }
        for (name, value) in headers.iter() {
            // Both were checked when they were set.
            if let (Ok(name), Ok(mut value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                value.set_sensitive(true);
                request = request.header(name, value);
            }
        }
        request
    }
}

fn read_answer(response: Response<ureq::Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let mut bytes = Vec::new();
    // An answer that breaks off is judged by its status and by what there is of its body.
    let read = body.into_reader().take(ANSWER_LIMIT).read_to_end(&mut bytes);
    if let Err(error) = read {
        log::debug!("the body of an answer of status {} broke off: {error}", parts.status.as_u16());
    }
    Answer {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: bytes,
        in_doubt: false,
    }
}

/// About thirty years.
const LONGEST: Duration = Duration::from_secs(1 << 30);

/// Above this many bytes the server is asked first, so that an early 401 or 413 is heard.
const EXPECT_ABOVE: usize = 1 << 20;

/// As much of an answer as is read: a line error for each line of a large request takes some megabytes.
const ANSWER_LIMIT: u64 = 64 << 20;
