//! A scripted HTTP server: refuses, stalls, cuts and lies on command.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The number of the connection, from 0.
    pub connection: usize,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A proper answer; the connection stays open.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// These bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// The end of the connection without an answer.
    Close,
    /// A proper answer, and the end of the connection without a word about it.
    AnswerThenClose(u16),
    /// No answer, until the server is dropped.
    Stall,
    /// This reply once the gate is open.
    After(Gate, Box<Self>),
}

/// What replies can be made to wait for.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    /// Waits until it is open, or so long that the test has failed anyway.
    pub fn pass(&self) {
        let closed = self.0.0.lock().unwrap();
        drop(self.0.1.wait_timeout_while(closed, HANGS, |open| !*open).unwrap());
    }
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), Vec::new())
    }

    pub fn text(status: u16, body: &str) -> Self {
        Self::Answer(status, Vec::new(), body.as_bytes().to_vec())
    }
}

/// A server on a free port of the loopback interface, with a thread for each connection.
pub struct Server {
    address: SocketAddr,
    requests: Arc<(Mutex<Vec<Request>>, Condvar)>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    stopping: Arc<AtomicBool>,
    /// Every so many requests, the connection ends in the middle of a body; 0 for never.
    cut_every: Arc<AtomicUsize>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers the n-th request (from 0) with `script(n, request)`.
    pub fn start(script: impl FnMut(usize, &Request) -> Reply + Send + 'static) -> Self {
        Self::start_at("127.0.0.1:0", script)
    }

    pub fn start_at(
        address: &str,
        script: impl FnMut(usize, &Request) -> Reply + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let connections = Arc::new(Mutex::new(Vec::new()));
        let stopping = Arc::new(AtomicBool::new(false));
        let cut_every = Arc::new(AtomicUsize::new(0));
        let heads = Arc::new(AtomicUsize::new(0));
        let script = Arc::new(Mutex::new((0, script)));
        let is_cut = {
            let cut_every = cut_every.clone();
            move || match cut_every.load(Ordering::SeqCst) {
                0 => false,
                every => heads.fetch_add(1, Ordering::SeqCst) % every == every - 1,
            }
        };
        let accepting = thread::spawn({
            let (requests, connections, stopping) =
                (requests.clone(), connections.clone(), stopping.clone());
            move || {
                for (connection, stream) in listener.incoming().enumerate() {
                    if stopping.load(Ordering::SeqCst) {
                        return;
                    }
                    let Ok(stream) = stream else { continue };
                    connections.lock().unwrap().push(stream.try_clone().unwrap());
                    let (requests, script, is_cut) =
                        (requests.clone(), script.clone(), is_cut.clone());
                    thread::spawn(move || {
                        // A peer that goes away in the middle ends its connection, not the test.
                        let _ = serve(stream, connection, is_cut, |request| {
                            requests.0.lock().unwrap().push(request.clone());
                            requests.1.notify_all();
                            let mut script = script.lock().unwrap();
                            let number = script.0;
                            script.0 += 1;
                            (script.1)(number, request)
                        });
                    });
                }
            }
        });
        let accepting = Some(accepting);
        Self { address, requests, connections, stopping, cut_every, accepting }
    }

    /// Answers every request with 204.
    pub fn accepting() -> Self {
        Self::start(|_, _| Reply::status(204))
    }

    /// From now on the connection ends in the middle of the body of every so many requests.
    pub fn cut_every(&self, requests: usize) {
        self.cut_every.store(requests, Ordering::SeqCst);
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.0.lock().unwrap().clone()
    }

    /// Waits until there are at least `count` requests, and returns them.
    pub fn wait_for(&self, count: usize) -> Vec<Request> {
        let requests = self.requests.0.lock().unwrap();
        let too_few = |requests: &mut Vec<Request>| requests.len() < count;
        let (requests, _) = self.requests.1.wait_timeout_while(requests, HANGS, too_few).unwrap();
        assert!(requests.len() >= count, "only {} of {count} requests", requests.len());
        requests.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        for connection in self.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.accepting.take() {
            let _ = thread.join();
        }
    }
}

/// After this, something hangs: no test takes as long, on however slow a machine.
pub const HANGS: Duration = Duration::from_secs(60);

/// A port that nobody listens on.
pub fn unused_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn serve(
    stream: TcpStream,
    connection: usize,
    is_cut: impl Fn() -> bool,
    mut answer: impl FnMut(&Request) -> Reply,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = stream.try_clone()?;
    let mut input = BufReader::new(stream);
    while let Some(request) = read_request(&mut input, &mut out, connection, &is_cut)? {
        let mut reply = answer(&request);
        while let Reply::After(gate, next) = reply {
            gate.pass();
            reply = *next;
        }
        match reply {
            Reply::After(..) => {}
            Reply::Answer(status, headers, body) => {
                write_answer(&mut out, status, &headers, &body)?
            }
            Reply::Raw(bytes) => {
                out.write_all(&bytes)?;
                return out.shutdown(Shutdown::Both);
            }
            Reply::Close => return out.shutdown(Shutdown::Both),
            Reply::AnswerThenClose(status) => {
                write_answer(&mut out, status, &[], &[])?;
                return out.shutdown(Shutdown::Both);
            }
            Reply::Stall => {
                // Returns when the client or the dropped server ends the connection.
                let _ = input.read(&mut [0]);
                return Ok(());
            }
        }
    }
    Ok(())
}

fn write_answer(
    out: &mut TcpStream,
    status: u16,
    headers: &[(&str, String)],
    body: &[u8],
) -> std::io::Result<()> {
    let mut answer = format!("HTTP/1.1 {status} Status\r\n");
    for (name, value) in headers {
        answer.push_str(&format!("{name}: {value}\r\n"));
    }
    // A real server sends no length with 204.
    if status != 204 {
        answer.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    answer.push_str("\r\n");
    let mut bytes = answer.into_bytes();
    bytes.extend_from_slice(body);
    out.write_all(&bytes)
}

fn read_request(
    input: &mut BufReader<TcpStream>,
    out: &mut TcpStream,
    connection: usize,
    is_cut: &impl Fn() -> bool,
) -> std::io::Result<Option<Request>> {
    let mut first = String::new();
    if input.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut words = first.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
            None => break,
        }
    }
    let mut request =
        Request { method: method.into(), path: path.into(), headers, body: Vec::new(), connection };
    if request.header("expect").is_some() {
        out.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    if let Some(length) = request.header("content-length") {
        request.body = vec![0; length.parse().unwrap_or(0)];
        if is_cut() {
            let half = request.body.len() / 2;
            input.read_exact(&mut request.body[..half])?;
            out.shutdown(Shutdown::Both)?;
            return Ok(None);
        }
        input.read_exact(&mut request.body)?;
    }
    Ok(Some(request))
}
