//! One request over HTTP, and what came of it. The only file that names ureq.

use std::io::{self, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::{HeaderName, HeaderValue, Response};
use ureq::{Agent, SendBody, Timeout};

use super::answer::Answer;
use super::batcher::closed;
use crate::config::{Config, Headers};
use crate::{Error, ErrorKind, Result};

/// The HTTP side of a client: a pool of connections to one server.
pub(crate) struct Http {
    shared: Mutex<Shared>,
    peer: Peer,
    connect_timeout: Duration,
    authorization: Option<HeaderValue>,
    headers: Headers,
    #[cfg(feature = "gzip")]
    pub(super) gzip: super::gzip::Gzip,
}

struct Shared {
    /// None once all users are gone.
    agent: Option<Agent>,
    /// How many clients that are not closed share it.
    users: usize,
}

/// Whom requests go to.
struct Peer {
    /// `http://host:port/prefix`
    base: String,
    /// `http://host:port`, without credentials.
    proxy: Option<String>,
}

/// A request that is ready to be sent.
pub(crate) struct Post<'a> {
    /// With a leading slash.
    pub(crate) path_and_query: &'a str,
    pub(crate) body: &'a [u8],
    /// Whether `body` is compressed.
    pub(crate) gzip: bool,
    pub(crate) headers: &'a Headers,
    pub(crate) timeout: Duration,
    /// Whether sending it twice changes nothing.
    pub(crate) repeatable: bool,
}

impl Http {
    /// Connects to nothing yet. `connections` is how many idle ones are kept.
    pub(crate) fn new(config: &Config, connections: usize) -> Result<Self> {
        let settings = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(USER_AGENT)
            .accept("application/json")
            .accept_encoding("")
            .max_idle_connections(connections)
            .max_idle_connections_per_host(connections)
            .timeout_await_100(Some(Duration::from_secs(1)))
            .proxy(proxy(config)?);
        #[cfg(feature = "tls")]
        let settings = settings.tls_config(tls_config(&config.tls)?);
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
        Ok(Self {
            shared: Mutex::new(Shared { agent: Some(settings.build().new_agent()), users: 1 }),
            peer: Peer {
                base: config.endpoint.to_string(),
                proxy: config.proxy.as_ref().map(ToString::to_string),
            },
            connect_timeout: config.connect_timeout,
            authorization,
            headers: config.headers.clone(),
            #[cfg(feature = "gzip")]
            gzip: super::gzip::Gzip::default(),
        })
    }

    /// One more client shares it; none can once all are gone.
    pub(crate) fn join(&self) -> Result<()> {
        let mut shared = self.lock();
        if shared.agent.is_none() {
            return Err(closed());
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
        self.lock().agent.clone().ok_or_else(closed)
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
                    return Err(failure.into_error(&self.peer, post.timeout));
                }
                log::debug!(
                    "the connection was closed without an answer: one more try on a new one"
                );
                // Whatever comes of the second try, the first may have been carried out.
                let in_doubt = failure.progress.began;
                match self.attempt(&agent, Some(post), post.path_and_query, left, true) {
                    Ok(answer) => Ok(Answer { in_doubt, ..answer }),
                    Err(failure) => {
                        let error = failure.into_error(&self.peer, post.timeout);
                        let in_doubt = in_doubt || error.in_doubt();
                        Err(error.with_in_doubt(in_doubt))
                    }
                }
            }
            result => result.map_err(|failure| failure.into_error(&self.peer, post.timeout)),
        }
    }

    /// Gets `path`, which may be asked for any number of times.
    pub(crate) fn get(&self, path: &str, timeout: Duration) -> Result<Answer> {
        let agent = self.agent()?;
        match self.attempt(&agent, None, path, timeout, false) {
            Err(failure) if failure.is_stale() => self.attempt(&agent, None, path, timeout, true),
            result => result,
        }
        .map_err(|failure| failure.into_error(&self.peer, timeout).with_in_doubt(false))
    }

    fn attempt(
        &self,
        agent: &Agent,
        post: Option<&Post<'_>>,
        path_and_query: &str,
        timeout: Duration,
        fresh: bool,
    ) -> Result<Answer, Failure> {
        let url = format!("{}{path_and_query}", self.peer.base);
        let mut body = WatchedBody::new(post.map_or(&[], |post| post.body));
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
                    .header("content-length", post.body.len());
                if !self.headers.contains("content-type") && !post.headers.contains("content-type")
                {
                    request = request.header("content-type", "text/plain; charset=utf-8");
                }
                if post.gzip {
                    request = request.header("content-encoding", "gzip");
                }
                if post.body.len() > EXPECT_ABOVE {
                    request = request.header("expect", "100-continue");
                }
                request.send(SendBody::from_reader(&mut body))
            }
        };
        match result {
            Ok(response) => Ok(read_answer(response)),
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

/// A body that knows how much of it was taken, as ureq does not say how far a failed request came.
struct WatchedBody<'a> {
    rest: &'a [u8],
    began: bool,
}

#[derive(Clone, Copy)]
struct Progress {
    began: bool,
    finished: bool,
}

impl<'a> WatchedBody<'a> {
    fn new(body: &'a [u8]) -> Self {
        Self { rest: body, began: false }
    }

    fn progress(&self) -> Progress {
        Progress { began: self.began, finished: self.rest.is_empty() }
    }
}

impl Read for WatchedBody<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.began = true;
        self.rest.read(buffer)
    }
}

/// A request without an answer.
struct Failure {
    error: ureq::Error,
    progress: Progress,
}

impl Failure {
    /// Whether this is what a connection looks like that the server had closed before.
    fn is_stale(&self) -> bool {
        use io::ErrorKind as K;
        let broken = |kind| {
            matches!(
                kind,
                K::UnexpectedEof | K::ConnectionReset | K::BrokenPipe | K::ConnectionAborted
            )
        };
        matches!(&self.error, ureq::Error::Io(error) if broken(error.kind()))
            && self.tls_error().is_none()
    }

    fn into_error(self, peer: &Peer, timeout: Duration) -> Error {
        let began = self.progress.began;
        let was_cut = began && self.is_stale();
        let (kind, message, retryable) = self.describe(peer, timeout);
        let in_doubt = began && !matches!(kind, ErrorKind::Tls | ErrorKind::Proxy);
        Error::new(kind, message)
            .with_in_doubt(in_doubt)
            .with_retryable(retryable)
            .with_was_cut(was_cut)
            .with_source(Box::new(self.error) as Box<dyn std::error::Error + Send + Sync>)
    }

    fn describe(&self, peer: &Peer, timeout: Duration) -> (ErrorKind, String, bool) {
        use ureq::Error as E;
        let base = &peer.base;
        if let Some((message, retryable)) = self.tls_error() {
            return (ErrorKind::Tls, format!("no TLS connection to {base}: {message}"), retryable);
        }
        if let Some(proxy) = peer.proxy.as_ref().filter(|_| self.is_without_connection()) {
            let why = match &self.error {
                E::Io(error) => error.kind().to_string(),
                _ => "its name does not resolve".to_owned(),
            };
            return (ErrorKind::Proxy, format!("cannot connect to the proxy {proxy}: {why}"), true);
        }
        match &self.error {
            E::Timeout(phase) => {
                (ErrorKind::Timeout, self.describe_timeout(*phase, base, timeout), true)
            }
            error if is_unresolved(error) => (
                ErrorKind::Connect,
                format!(
                    "cannot connect to {base}: the host name does not resolve; is it spelled right?"
                ),
                true,
            ),
            E::ConnectionFailed => {
                (ErrorKind::Connect, format!("cannot connect to {base}: no address answered"), true)
            }
            E::ConnectProxyFailed(why) => {
                (ErrorKind::Proxy, format!("the proxy does not connect to {base}: {why}"), true)
            }
            E::InvalidProxyUrl => (ErrorKind::Proxy, "the proxy cannot be used".into(), false),
            E::Protocol(_) => (
                ErrorKind::Server,
                format!(
                    "{base} answered something that is not HTTP; does the port speak TLS (then use https://), or \
                     another protocol?"
                ),
                false,
            ),
            E::LargeResponseHeader(..) => (
                ErrorKind::Server,
                format!("the header of the answer of {base} is too large"),
                false,
            ),
            E::Io(error) if self.progress.began => (
                ErrorKind::Connect,
                match error.kind() {
                    io::ErrorKind::UnexpectedEof if self.progress.finished => format!(
                        "{base} closed the connection without an answer; what was sent may be stored or not"
                    ),
                    kind => format!("the connection to {base} broke while sending: {kind}"),
                },
                true,
            ),
            E::Io(error) => {
                let hint = if error.kind() == io::ErrorKind::ConnectionRefused {
                    "; is the server running, and are host and port right?"
                } else {
                    ""
                };
                (
                    ErrorKind::Connect,
                    format!("cannot connect to {base}: {}{hint}", error.kind()),
                    true,
                )
            }
            _ => (ErrorKind::Internal, format!("the request to {base} could not be made"), false),
        }
    }

    /// Whether no connection was made to whom requests go to first.
    fn is_without_connection(&self) -> bool {
        !self.progress.began
            && match &self.error {
                ureq::Error::Io(_) | ureq::Error::ConnectionFailed => true,
                error => is_unresolved(error),
            }
    }

    fn describe_timeout(&self, phase: Timeout, base: &str, timeout: Duration) -> String {
        match phase {
            Timeout::Resolve => {
                format!("the host name of {base} did not resolve in time (connect_timeout)")
            }
            Timeout::Connect => {
                format!("{base} did not accept a connection in time (connect_timeout)")
            }
            _ if !self.progress.began => {
                format!("no connection to {base} within {timeout:?} (write_timeout)")
            }
            _ if self.progress.finished => format!(
                "no answer from {base} within {timeout:?} (write_timeout); what was sent may be stored or not"
            ),
            _ => format!(
                "the request could not be sent to {base} within {timeout:?} (write_timeout)"
            ),
        }
    }

    /// What went wrong in TLS, if that is what failed, and whether it may pass.
    #[cfg(feature = "tls")]
    fn tls_error(&self) -> Option<(String, bool)> {
        let error = match &self.error {
            ureq::Error::Rustls(error) => error,
            ureq::Error::Io(error) => error.get_ref()?.downcast_ref::<rustls::Error>()?,
            ureq::Error::Tls(message) => return Some(((*message).to_owned(), false)),
            _ => return None,
        };
        Some((crate::transport::describe_tls_error(error), false))
    }

    #[cfg(not(feature = "tls"))]
    fn tls_error(&self) -> Option<(String, bool)> {
        None
    }
}

fn is_unresolved(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound => true,
        // std gives the resolver's failures no kind of their own.
        ureq::Error::Io(error) => error.to_string().starts_with("failed to lookup address"),
        _ => false,
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

fn proxy(config: &Config) -> Result<Option<ureq::Proxy>> {
    let Some(proxy) = &config.proxy else { return Ok(None) };
    let mut builder =
        ureq::Proxy::builder(ureq::ProxyProtocol::Http).host(proxy.host()).port(proxy.port());
    if let Some((user, password)) = proxy.credentials() {
        builder = builder.username(user).password(password);
    }
    let built = builder.build().map_err(|error| {
        Error::config(format!("the proxy {proxy} cannot be used")).with_source(error)
    })?;
    Ok(Some(built))
}

#[cfg(feature = "tls")]
fn tls_config(tls: &crate::transport::TlsSettings) -> Result<ureq::tls::TlsConfig> {
    use crate::transport::Roots;
    use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};

    let roots = match &tls.roots {
        Roots::Bundled => RootCerts::WebPki,
        Roots::Certificates(certificates) => RootCerts::Specific(std::sync::Arc::new(
            certificates.iter().map(|der| Certificate::from_der(der).to_owned()).collect(),
        )),
    };
    let identity = match &tls.identity {
        None => None,
        Some(identity) => {
            let chain: Vec<_> =
                identity.chain.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
            let key = PrivateKey::from_pem(&identity.key_pem).map_err(|error| {
                Error::config("the key of client_cert cannot be used").with_source(error)
            })?;
            Some(ClientCert::new_with_certs(&chain, key))
        }
    };
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(crate::transport::provider())
        .root_certs(roots)
        .client_cert(identity)
        .disable_verification(tls.accept_invalid_certs)
        .build())
}

pub(crate) const USER_AGENT: &str = concat!("influxdb3-blocking/", env!("CARGO_PKG_VERSION"));

/// About thirty years.
const LONGEST: Duration = Duration::from_secs(1 << 30);

/// Above this many bytes the server is asked first, so that an early 401 or 413 is heard.
const EXPECT_ABOVE: usize = 1 << 20;

/// As much of an answer as is read: a line error for each line of a large request takes some megabytes.
const ANSWER_LIMIT: u64 = 64 << 20;
