//! One request over HTTP, and its result. The only room that names ureq.

mod agent;
mod clusters;
mod connect;
mod failure;
#[cfg(feature = "tls")]
mod tls;

use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::{HeaderName, HeaderValue, Response};
use ureq::{Agent, SendBody};

use self::clusters::Clusters;
use self::failure::{RequestFailure, WatchedBody};
use super::answer::{Answer, Api};
use crate::config::{CallToken, Config, Headers, Secrets, Token, Tokens};
use crate::transport::{Host, Hosts};
use crate::{Error, ErrorKind, Result};

/// The HTTP side of a client: a pool of connections to each of its hosts for writes.
pub(crate) struct Http {
    pool: Mutex<AgentPool>,
    hosts: Arc<Hosts>,
    connect_timeout: Duration,
    tokens: Tokens,
    auth_scheme: String,
    headers: Headers,
    clusters: Clusters,
    #[cfg(feature = "gzip")]
    pub(super) gzip: crate::write::gzip::Gzip,
}

struct AgentPool {
    /// One for each host, in their order; none once all users are gone.
    agents: Option<Arc<[Agent]>>,
    /// How many clients that are not closed share it.
    users: usize,
    /// Whether requests under way were ended with the last user.
    is_interrupted: bool,
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
    /// For all hosts together.
    pub(crate) timeout: Duration,
    /// Whether sending it twice changes nothing.
    pub(crate) repeatable: bool,
}

/// One try at one host.
struct Try<'a> {
    agent: &'a Agent,
    host: &'a Arc<Host>,
    authorization: Option<HeaderValue>,
    clusters: &'a Clusters,
    /// The client's and the request's.
    headers: &'a Headers,
    timeout: Duration,
    /// What the whole call has, all hosts and tries together.
    whole_timeout: Duration,
    /// For connecting only.
    connect_timeout: Duration,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

impl Http {
    /// Connects to nothing yet. `connections` is how many idle ones are kept for each host.
    pub(crate) fn new(config: &Config, connections: usize) -> Self {
        let hosts = Hosts::new(config.write_hosts.clone());
        let agent = |host: &Arc<Host>| agent::new(config, host.clone(), connections);
        let agents = hosts.list().iter().map(agent).collect();
        Self {
            pool: Mutex::new(AgentPool { agents: Some(agents), users: 1, is_interrupted: false }),
            hosts,
            connect_timeout: config.connect_timeout,
            tokens: config.tokens.clone(),
            auth_scheme: config.auth_scheme.clone(),
            headers: config.headers.clone(),
            clusters: Clusters::default(),
            #[cfg(feature = "gzip")]
            gzip: crate::write::gzip::Gzip::default(),
        }
    }

    /// The hosts for writes, the first one first.
    pub(crate) fn hosts(&self) -> Vec<String> {
        self.hosts.list().iter().map(ToString::to_string).collect()
    }

    /// One more client shares it; none can once all are gone.
    pub(crate) fn join(&self) -> Result<()> {
        let mut pool = self.lock();
        if pool.agents.is_none() {
            return Err(Error::closed());
        }
        pool.users += 1;
        Ok(())
    }

    /// One client less shares it. The last one ends idle connections, and if `interrupt` requests under way too.
    pub(crate) fn retire(&self, interrupt: bool) {
        let mut pool = self.lock();
        pool.users -= 1;
        if pool.users > 0 {
            return;
        }
        pool.is_interrupted = interrupt;
        let agents = pool.agents.take();
        drop(pool);
        let agents = agents.filter(|_| interrupt);
        for agent in agents.iter().flat_map(|agents| agents.iter()) {
            agent.clone().shutdown();
        }
    }

    fn agents(&self) -> Result<Arc<[Agent]>> {
        self.lock().agents.clone().ok_or_else(Error::closed)
    }

    fn lock(&self) -> MutexGuard<'_, AgentPool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes: sends a request to the first host that takes it.
    ///
    /// # Errors
    /// What the answer means, or why there is none; and with several hosts, why each of them failed.
    pub(crate) fn write(&self, post: &Post<'_>, api: Api) -> Result<()> {
        self.over_hosts(post.timeout, post.headers, post.repeatable, |one| {
            one.post(post)?.into_write_result(api)
        })
    }

    /// Sends `GET path` to the hosts in turn and returns the first success with the name of its host. `what` names the
    /// request in errors.
    pub(crate) fn get(
        &self,
        path: &str,
        what: &str,
        timeout: Duration,
    ) -> Result<(Answer, String)> {
        let answer = self.over_hosts(timeout, &Headers::default(), true, |one| {
            Ok((one.get(path)?.into_body(what)?, one.host.to_string()))
        });
        answer.map_err(|error| error.with_in_doubt(false))
    }

    /// Calls `attempt` until one succeeds or no host is left.
    fn over_hosts<T>(
        &self,
        timeout: Duration,
        own: &Headers,
        repeatable: bool,
        attempt: impl Fn(&Try<'_>) -> Result<T>,
    ) -> Result<T> {
        let agents = self.agents()?;
        let start = Instant::now();
        let mut tour = self.hosts.failover(start).ok_or_else(no_host)?;
        let headers = self.headers.with(own);
        let mut token = CallToken::new(&self.tokens, &headers);
        let left = || timeout.saturating_sub(start.elapsed());
        let mut time = timeout;
        loop {
            let sent = token.get(self.connect_timeout.min(time))?;
            let authorization = sent.map(|sent| self.authorization(sent.token())).transpose()?;
            let one = Try {
                agent: &agents[tour.place()],
                host: tour.host(),
                authorization,
                clusters: &self.clusters,
                headers: &headers,
                timeout: time,
                whole_timeout: timeout,
                // A host that cannot be reached must leave time for the others.
                connect_timeout: self.connect_timeout.min(time / tour.left()),
            };
            let error = match attempt(&one) {
                Ok(done) => {
                    token.accepted();
                    tour.works();
                    return Ok(done);
                }
                Err(error) => error.without(&Secrets::new(token.sent(), &headers)),
            };
            if error.kind() == ErrorKind::PartialWrite {
                token.accepted();
            }
            time = left();
            if let Err(error) = token.renew(error, self.connect_timeout.min(time)) {
                // What was interrupted at one host must not begin at another.
                let may_go_on = !time.is_zero() && !self.lock().is_interrupted;
                tour.go_on(error, repeatable, may_go_on, Instant::now())?;
            }
        }
    }

    fn authorization(&self, token: &Token) -> Result<HeaderValue> {
        let value = format!("{} {}", self.auth_scheme, token.reveal());
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| Error::config("the token cannot stand in a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl Try<'_> {
    /// Sends a request and reads the answer, whatever its status.
    ///
    /// A connection that the server closed while it was idle shows as one that breaks without an answer. The
    /// request is then sent once more over a new one, if nothing was sent or a repetition changes nothing.
    fn post(&self, post: &Post<'_>) -> Result<Answer> {
        let start = Instant::now();
        match self.attempt(Some(post), post.path_and_query, self.timeout, false) {
            Err(failure) if failure.is_stale() && (post.repeatable || !failure.progress.began) => {
                let left = self.timeout.saturating_sub(start.elapsed());
                if left.is_zero() {
                    return Err(self.error_of(failure));
                }
                log::debug!(
                    "the connection was closed without an answer: one more try on a new one"
                );
                // Whatever the second try returns, the first may have been carried out.
                let in_doubt = failure.progress.began;
                match self.attempt(Some(post), post.path_and_query, left, true) {
                    Ok(answer) => Ok(Answer { in_doubt, ..answer }),
                    Err(failure) => {
                        let error = self.error_of(failure);
                        let in_doubt = in_doubt || error.in_doubt();
                        Err(error.with_in_doubt(in_doubt))
                    }
                }
            }
            result => result.map_err(|failure| self.error_of(failure)),
        }
    }

    fn get(&self, path: &str) -> Result<Answer> {
        match self.attempt(None, path, self.timeout, false) {
            Err(failure) if failure.is_stale() => self.attempt(None, path, self.timeout, true),
            result => result,
        }
        .map_err(|failure| self.error_of(failure))
    }

    fn error_of(&self, failure: RequestFailure) -> Error {
        failure.into_error(&self.host.to_string(), self.whole_timeout)
    }

    fn attempt(
        &self,
        post: Option<&Post<'_>>,
        path_and_query: &str,
        timeout: Duration,
        fresh: bool,
    ) -> Result<Answer, RequestFailure> {
        let url = format!("{}{path_and_query}", self.host);
        let mut body = WatchedBody::new(post.map_or(&[], |post| post.body));
        let length = body.left();
        // ureq adds it to the time of day, which must not overflow.
        let timeout = timeout.min(LONGEST);
        let connect = self.connect_timeout.min(timeout);
        let result = match post {
            None => {
                let request = self.agent.get(url).config().timeout_global(Some(timeout));
                let request = request.timeout_resolve(Some(connect)).timeout_connect(Some(connect));
                let request = if fresh { request.max_idle_age(Duration::ZERO) } else { request };
                self.with_headers(request.build()).call()
            }
            Some(post) => {
                let request = self.agent.post(url).config().timeout_global(Some(timeout));
                let request = request.timeout_resolve(Some(connect)).timeout_connect(Some(connect));
                let request = if fresh { request.max_idle_age(Duration::ZERO) } else { request };
                let mut request =
                    self.with_headers(request.build()).header("content-length", length);
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
                cluster.inspect(|cluster| self.clusters.note(self.host, cluster));
                Ok(read_answer(response))
            }
            Err(error) => Err(RequestFailure { error, progress: body.progress() }),
        }
    }

    fn with_headers<B>(&self, mut request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        if let Some(value) = &self.authorization {
            request = request.header("authorization", value.clone());
        }
        for (name, value) in self.headers.iter() {
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

fn no_host() -> Error {
    Error::config("there is no host for writes: set .write_host(…) or .host(…)")
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

/// Bodies above this size are sent with `Expect: 100-continue`, so that a 401 or 413 arrives before the body is sent.
const EXPECT_ABOVE: usize = 1 << 20;

/// The most bytes of an answer's body that are read: a line error for each line of a large request takes some
/// megabytes.
const ANSWER_LIMIT: u64 = 64 << 20;
