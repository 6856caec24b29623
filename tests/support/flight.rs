//! A scripted Flight server: it answers each call with the steps that a test gives it, down to single HTTP/2
//! frames, on a thread of its own.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};

/// What the server does next for a call.
#[derive(Clone)]
pub enum Step {
    /// The head of a gRPC answer. Each script begins with this or another head.
    Head,
    /// Any head.
    HttpHead(u16, Vec<(&'static str, String)>),
    /// A gRPC message that holds these bytes.
    Message(Vec<u8>),
    /// These bytes in data frames.
    Raw(Vec<u8>),
    /// The same; copies of the step share them.
    Shared(Bytes),
    /// The end: a gRPC status, its message, and other trailers.
    Status(i32, String, Vec<(&'static str, String)>),
    /// A whole answer without a body.
    StatusOnly(i32, String),
    /// The end of the stream, without trailers.
    End,
    /// Resets the stream.
    Reset(Reason),
    /// Closes the connection as it is.
    Hangup,
    /// Announces that the connection takes no further calls.
    GoAway,
    /// Waits until the client resets the stream, and tells the test.
    UntilReset(mpsc::Sender<()>),
    /// Tells the test that everything before was sent.
    Tell(mpsc::Sender<()>),
    /// Waits for the test.
    WaitFor(Arc<Notify>),
    /// Does nothing any more.
    Stall,
}

/// A call as the server saw it.
#[derive(Clone, Debug)]
pub struct Call {
    pub path: String,
    pub headers: HeaderMap,
    /// The JSON of the ticket.
    pub ticket: String,
}

impl Call {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

type Script = Arc<dyn Fn(&Call, usize) -> Vec<Step> + Send + Sync>;
type Accept = Arc<
    dyn Fn(TcpStream) -> Pin<Box<dyn Future<Output = Option<Box<dyn Io>>> + Send>> + Send + Sync,
>;

pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

pub struct FlightServer {
    address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
    connections: Arc<Mutex<Connections>>,
    sent: Arc<Mutex<Vec<usize>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FlightServer {
    /// Answers the n-th call (from 0) with the steps of `script`.
    pub fn start(script: impl Fn(&Call, usize) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::start_with(
            script,
            Arc::new(|stream| Box::pin(async { Some(Box::new(stream) as Box<dyn Io>) })),
        )
    }

    /// The same answer to every call.
    pub fn replay(steps: Vec<Step>) -> Self {
        Self::start(move |_, _| steps.clone())
    }

    /// With something around each connection, such as TLS.
    pub fn start_with(
        script: impl Fn(&Call, usize) -> Vec<Step> + Send + Sync + 'static,
        accept: Accept,
    ) -> Self {
        let shared = Shared {
            script: Arc::new(script),
            calls: Arc::default(),
            connections: Arc::default(),
            sent: Arc::default(),
            accept,
        };
        let (calls, connections, sent) =
            (shared.calls.clone(), shared.connections.clone(), shared.sent.clone());
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! {
                    () = serve(listener, shared) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        let address = address.recv().unwrap();
        Self { address, calls, connections, sent, stop: Some(stop), thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.lock().unwrap().accepted
    }

    /// Waits until only so many are left open.
    pub fn wait_for_open_connections(&self, open: usize) {
        while self.connections.lock().unwrap().open > open {
            std::thread::yield_now();
        }
    }

    /// How many bytes of its body the client gave leave to send, call by call.
    pub fn sent(&self) -> Vec<usize> {
        self.sent.lock().unwrap().clone()
    }
}

impl Drop for FlightServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A gRPC message: no compression, the length, the bytes.
pub fn grpc_message(bytes: &[u8]) -> Vec<u8> {
    let mut message = vec![0];
    message.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
    message.extend(bytes);
    message
}

pub fn ok() -> Step {
    Step::Status(0, String::new(), vec![])
}

#[derive(Clone)]
struct Shared {
    script: Script,
    calls: Arc<Mutex<Vec<Call>>>,
    connections: Arc<Mutex<Connections>>,
    sent: Arc<Mutex<Vec<usize>>>,
    accept: Accept,
}

#[derive(Default)]
struct Connections {
    accepted: usize,
    open: usize,
}

async fn serve(listener: TcpListener, shared: Shared) {
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let shared = shared.clone();
        tokio::spawn(async move {
            {
                let mut connections = shared.connections.lock().unwrap();
                connections.accepted += 1;
                connections.open += 1;
            }
            if let Some(stream) = (shared.accept)(stream).await {
                connection(stream, &shared).await;
            }
            shared.connections.lock().unwrap().open -= 1;
        });
    }
}

async fn connection(stream: Box<dyn Io>, shared: &Shared) {
    let hangup = Arc::new(Notify::new());
    let go_away = Arc::new(Notify::new());
    let mut builder = h2::server::Builder::new();
    builder.initial_connection_window_size(1 << 20).max_send_buffer_size(64 << 20);
    let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else { return };
    loop {
        let (request, respond) = tokio::select! {
            accepted = connection.accept() => match accepted {
                Some(Ok(accepted)) => accepted,
                _ => return,
            },
            () = hangup.notified() => return,
            () = go_away.notified() => {
                connection.graceful_shutdown();
                continue;
            }
        };
        let (shared, hangup, go_away) = (shared.clone(), Arc::clone(&hangup), Arc::clone(&go_away));
        tokio::spawn(async move {
            let (head, mut body) = request.into_parts();
            let mut bytes = Vec::new();
            while let Some(Ok(data)) = body.data().await {
                let _ = body.flow_control().release_capacity(data.len());
                bytes.extend_from_slice(&data);
            }
            let call = Call {
                path: head.uri.path().to_owned(),
                headers: head.headers,
                ticket: ticket(&bytes),
            };
            let (number, steps) = {
                let mut calls = shared.calls.lock().unwrap();
                calls.push(call.clone());
                shared.sent.lock().unwrap().push(0);
                (calls.len() - 1, (shared.script)(&call, calls.len() - 1))
            };
            let sent = |bytes| shared.sent.lock().unwrap()[number] += bytes;
            // An error here is a client that went away, which a test sees on its own side.
            let _ = answer(respond, steps, &hangup, &go_away, &sent).await;
        });
    }
}

/// The text of a ticket: after the gRPC prefix, the field's key and its length.
fn ticket(bytes: &[u8]) -> String {
    let field = &bytes[5..];
    assert_eq!(field[0], 0x0a);
    let length = 1 + field[1..].iter().position(|byte| *byte < 0x80).unwrap();
    String::from_utf8(field[1 + length..].to_vec()).unwrap()
}

async fn answer(
    mut respond: SendResponse<Bytes>,
    steps: Vec<Step>,
    hangup: &Notify,
    go_away: &Notify,
    sent: &(dyn Fn(usize) + Sync),
) -> Result<(), h2::Error> {
    let mut stream: Option<SendStream<Bytes>> = None;
    for step in steps {
        match step {
            Step::Head => {
                let head = Response::builder().header("content-type", "application/grpc");
                stream = Some(respond.send_response(head.body(()).unwrap(), false)?);
            }
            Step::HttpHead(status, headers) => {
                let mut head = Response::builder().status(status);
                for (name, value) in headers {
                    head = head.header(name, value);
                }
                stream = Some(respond.send_response(head.body(()).unwrap(), false)?);
            }
            Step::StatusOnly(code, message) => {
                let head = Response::builder()
                    .header("content-type", "application/grpc")
                    .header("grpc-status", code)
                    .header("grpc-message", escape(&message));
                respond.send_response(head.body(()).unwrap(), true)?;
            }
            Step::Message(bytes) => send(&mut stream, grpc_message(&bytes).into(), sent).await?,
            Step::Raw(bytes) => send(&mut stream, bytes.into(), sent).await?,
            Step::Shared(bytes) => send(&mut stream, bytes, sent).await?,
            Step::Status(code, message, others) => {
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", code.into());
                if !message.is_empty() {
                    trailers.insert("grpc-message", escape(&message).parse().unwrap());
                }
                for (name, value) in others {
                    trailers.insert(
                        HeaderName::from_static(name),
                        HeaderValue::try_from(value).unwrap(),
                    );
                }
                stream.as_mut().unwrap().send_trailers(trailers)?;
            }
            Step::End => stream.as_mut().unwrap().send_data(Bytes::new(), true)?,
            Step::Reset(reason) => {
                // What was sent before is to arrive.
                settle().await;
                match stream.as_mut() {
                    Some(stream) => stream.send_reset(reason),
                    None => respond.send_reset(reason),
                }
            }
            Step::Hangup => {
                // What was sent before is to arrive.
                settle().await;
                hangup.notify_one();
            }
            Step::GoAway => {
                go_away.notify_one();
                settle().await;
            }
            Step::UntilReset(done) => {
                let stream = stream.as_mut().unwrap();
                let _ = std::future::poll_fn(|cx| stream.poll_reset(cx)).await;
                let _ = done.send(());
            }
            Step::Tell(done) => drop(done.send(())),
            Step::WaitFor(go) => go.notified().await,
            Step::Stall => std::future::pending().await,
        }
    }
    Ok(())
}

/// Lets the connection's task write what it has.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

async fn send(
    stream: &mut Option<SendStream<Bytes>>,
    mut bytes: Bytes,
    sent: &(dyn Fn(usize) + Sync),
) -> Result<(), h2::Error> {
    let stream = stream.as_mut().unwrap();
    if bytes.is_empty() {
        return stream.send_data(bytes, false);
    }
    while !bytes.is_empty() {
        stream.reserve_capacity(bytes.len());
        match std::future::poll_fn(|cx| stream.poll_capacity(cx)).await {
            Some(capacity) => {
                let part = bytes.split_to(capacity?.min(bytes.len()));
                sent(part.len());
                stream.send_data(part, false)?;
            }
            None => return Ok(()),
        }
    }
    Ok(())
}

/// As gRPC escapes the text of a status.
fn escape(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b' '..=b'~' if byte != b'%' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}
