//! From a host to a connected socket: names, addresses, the proxy.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::ErrorKind;
use crate::config::Endpoint;
use crate::transport::Proxy;

/// Opens connections to one server, through the proxy if there is one.
#[derive(Clone)]
pub(crate) struct Connector {
    http: HttpConnector,
    /// `host:port` of the server.
    target: String,
    proxy: Option<Proxy>,
    timeout: Duration,
    greeting: Greeting,
}

impl Connector {
    pub(crate) fn new(
        endpoint: &Endpoint,
        proxy: Option<&Proxy>,
        timeout: Duration,
        greeting: Greeting,
    ) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_keepalive(Some(Duration::from_secs(60)));
        // Shared among the addresses of a name, so that a dead one leaves time for the next.
        http.set_connect_timeout(Some(timeout));
        let target = format!("{}:{}", endpoint.host(), endpoint.port());
        Self { http, target, proxy: proxy.cloned(), timeout, greeting }
    }

    async fn connect(mut self) -> Result<TokioIo<Socket>, ConnectFailure> {
        self.greeting.clear();
        let connected = tokio::time::timeout(self.timeout, async {
            match self.proxy.take() {
                None => {
                    let target = self.target.clone();
                    let stream =
                        self.dial(&target).await.map_err(|error| describe(error, &target))?;
                    Ok((stream, Vec::new()))
                }
                Some(proxy) => self.tunnel(&proxy).await,
            }
        });
        match connected.await {
            Ok(Ok((stream, unread))) => Ok(TokioIo::new(Socket {
                stream,
                unread,
                greeting: self.greeting,
                heard: false,
                failed: None,
            })),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(ConnectFailure::new(
                ErrorKind::Timeout,
                format!(
                    "no connection to {} within {:?} (connect_timeout)",
                    self.target, self.timeout
                ),
            )),
        }
    }

    async fn dial(&mut self, address: &str) -> Result<TcpStream, BoxError> {
        let uri: Uri = format!("http://{address}").parse()?;
        std::future::poll_fn(|cx| self.http.poll_ready(cx)).await?;
        Ok(self.http.call(uri).await?.into_inner())
    }

    /// Asks the proxy for a way to the target. Returns what came after its answer, too.
    async fn tunnel(&mut self, proxy: &Proxy) -> Result<(TcpStream, Vec<u8>), ConnectFailure> {
        let address = format!("{}:{}", proxy.host(), proxy.port());
        let stream = self.dial(&address).await.map_err(|error| {
            let failure = describe(error, &address);
            ConnectFailure { kind: ErrorKind::Proxy, ..failure }.in_context("the proxy")
        })?;
        let broken = |error: io::Error| {
            ConnectFailure::new(
                ErrorKind::Proxy,
                format!("the proxy {proxy} broke the connection before it answered"),
            )
            .with_source(error)
        };
        let mut request = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", self.target);
        if let Some((user, password)) = proxy.credentials() {
            let credentials = base64(format!("{user}:{password}").as_bytes());
            request.push_str(&format!("Proxy-Authorization: Basic {credentials}\r\n"));
        }
        request.push_str("\r\n");
        write_all(&stream, request.as_bytes()).await.map_err(broken)?;
        let (head, unread) = read_head(&stream).await.map_err(broken)?;
        let line = head.lines().next().unwrap_or_default();
        match line.split_ascii_whitespace().nth(1) {
            Some(status) if status.len() == 3 && status.starts_with('2') => Ok((stream, unread)),
            Some("407") => Err(ConnectFailure::new(
                ErrorKind::Proxy,
                format!(
                    "the proxy {proxy} wants other credentials (407): give http://user:password@host:port"
                ),
            )),
            _ => Err(ConnectFailure::new(
                ErrorKind::Proxy,
                format!("the proxy {proxy} refused to connect to {}: {line:?}", self.target),
            )),
        }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Socket>;
    type Error = ConnectFailure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(self.clone().connect())
    }
}

/// The first bytes that the newest connection received: they tell what it is if it is no HTTP/2.
#[derive(Clone, Default)]
pub(crate) struct Greeting(Arc<Mutex<Vec<u8>>>);

impl Greeting {
    const LENGTH: usize = 512;

    pub(crate) fn get(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Returns whether it has enough now.
    fn hear(&self, bytes: &[u8]) -> bool {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = Self::LENGTH - heard.len().min(Self::LENGTH);
        heard.extend_from_slice(&bytes[..missing.min(bytes.len())]);
        heard.len() >= Self::LENGTH
    }
}

/// Why there is no connection. It travels through tonic's errors as a source and is found there again.
#[derive(Clone, Debug)]
pub(crate) struct ConnectFailure {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl ConnectFailure {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    fn in_context(mut self, context: &str) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }
}

impl fmt::Display for ConnectFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for ConnectFailure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// A connected socket that listens to its first bytes.
pub(crate) struct Socket {
    stream: TcpStream,
    /// What the proxy's answer was followed by.
    unread: Vec<u8>,
    greeting: Greeting,
    /// Whether it has heard enough.
    heard: bool,
    /// Why it can no longer be written.
    failed: Option<io::Error>,
}

impl Socket {
    /// A server that does not like what it hears may say so and close before the client has written all:
    /// then the write fails, and nobody would read why. A socket that cannot be written ends for its reader
    /// too, so this does not wait for long.
    fn poll_last_words(&mut self, cx: &mut Context<'_>, failed: io::Error) -> Poll<io::Error> {
        let mut words = [0; Greeting::LENGTH];
        let mut buffer = ReadBuf::new(&mut words);
        if Pin::new(&mut self.stream).poll_read(cx, &mut buffer).is_pending() {
            self.failed = Some(failed);
            return Poll::Pending;
        }
        self.greeting.hear(buffer.filled());
        Poll::Ready(failed)
    }

    fn poll_written(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let written = match self.failed.take() {
            Some(failed) => Err(failed),
            None => ready!(write(Pin::new(&mut self.stream), cx)),
        };
        match written {
            Ok(count) => Poll::Ready(Ok(count)),
            Err(error) => Poll::Ready(Err(ready!(self.poll_last_words(cx, error)))),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.unread.is_empty() {
            ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        } else {
            let count = self.unread.len().min(buffer.remaining());
            buffer.put_slice(&self.unread[..count]);
            self.unread.drain(..count);
        }
        if !self.heard {
            self.heard = self.greeting.hear(&buffer.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_written(cx, |stream, cx| stream.poll_write(cx, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_written(cx, |stream, cx| stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

type BoxError = Box<dyn StdError + Send + Sync>;

/// Puts a failure to connect to `address` into words.
fn describe(error: BoxError, address: &str) -> ConnectFailure {
    let (mut name_unknown, mut io_kind) = (false, None);
    let mut cause: Option<&(dyn StdError + 'static)> = Some(&*error);
    while let Some(error) = cause {
        name_unknown |= error.to_string() == "dns error";
        if let Some(error) = error.downcast_ref::<io::Error>() {
            io_kind = Some(error.kind());
        }
        cause = error.source();
    }
    let (kind, message) = match io_kind {
        _ if name_unknown => {
            (ErrorKind::Connect, format!("the host name of {address} cannot be resolved"))
        }
        Some(io::ErrorKind::ConnectionRefused) => (
            ErrorKind::Connect,
            format!("nothing listens on {address}: is the server running, and is this its port?"),
        ),
        Some(io::ErrorKind::TimedOut) => {
            (ErrorKind::Timeout, format!("{address} did not take the connection in time"))
        }
        _ => (ErrorKind::Connect, format!("no connection to {address}")),
    };
    ConnectFailure { kind, message, source: Some(Arc::from(error)) }
}

async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads up to the blank line; what came after it is returned apart.
async fn read_head(stream: &TcpStream) -> io::Result<(String, Vec<u8>)> {
    const LIMIT: usize = 16 << 10;
    let mut read = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut chunk) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => read.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let unread = read.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&read).into_owned(), unread));
        }
        if read.len() > LIMIT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer has no end"));
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            // Six bits: below 64.
            let digit = ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place > group.len() { '=' } else { char::from(digit) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_greeting_is_bounded() {
        let greeting = Greeting::default();
        assert!(!greeting.hear(b"HTTP/1.1 400"));
        assert!(greeting.hear(&[b'x'; 1000]));
        assert_eq!(greeting.get().len(), Greeting::LENGTH);
    }
}
