use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// A server that reads what it is sent, counts it, and answers 204, or 503 while it is down.
pub struct Sink {
    address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    bytes: AtomicU64,
    is_down: AtomicBool,
}

impl Sink {
    pub fn start() -> Self {
        Self::flushing(Duration::ZERO)
    }

    /// Answers as a server with a write-ahead log does: all that came in within one interval at its end. Zero answers
    /// at once.
    pub fn flushing(interval: Duration) -> Self {
        let began = Instant::now();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let counts = Arc::new(Counts::default());
        let shared = counts.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counts = shared.clone();
                thread::spawn(move || serve(stream, &counts, || wait(began, interval)));
            }
        });
        Self { address, counts }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests and bytes of bodies.
    pub fn counted(&self) -> (u64, u64) {
        (self.counts.requests.load(Relaxed), self.counts.bytes.load(Relaxed))
    }

    pub fn set_down(&self, is_down: bool) {
        self.counts.is_down.store(is_down, Relaxed);
    }
}

/// Sleeps to the end of the interval that has begun.
fn wait(began: Instant, interval: Duration) {
    if !interval.is_zero() {
        let past = began.elapsed().as_nanos() % interval.as_nanos();
        thread::sleep(interval - Duration::from_nanos(past as u64));
    }
}

/// Serves one connection for as long as it lasts.
fn serve(mut stream: TcpStream, counts: &Counts, wait: impl Fn()) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut buffer = vec![0; 64 << 10];
    let mut filled = 0;
    loop {
        let head = loop {
            let end = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
            filled += read_some(&mut stream, &mut buffer[filled..])?;
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        if text.contains("expect: 100-continue") {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
        }
        let length = text.split("content-length:").nth(1)?.lines().next()?.trim();
        let body: usize = length.parse().ok()?;
        let mut missing = body.saturating_sub(filled - head);
        let rest = (filled - head).saturating_sub(body);
        buffer.copy_within(filled - rest..filled, 0);
        filled = rest;
        while missing > 0 {
            let room = missing.min(buffer.len());
            missing -= read_some(&mut stream, &mut buffer[..room])?;
        }
        counts.requests.fetch_add(1, Relaxed);
        counts.bytes.fetch_add(body as u64, Relaxed);
        wait();
        let answer: &[u8] = if counts.is_down.load(Relaxed) {
            b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
        } else {
            b"HTTP/1.1 204 No Content\r\n\r\n"
        };
        stream.write_all(answer).ok()?;
    }
}

fn read_some(stream: &mut TcpStream, buffer: &mut [u8]) -> Option<usize> {
    stream.read(buffer).ok().filter(|&read| read > 0)
}
