//! An HTTP server that answers every write with 204 and forgets it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

pub struct Sink {
    address: SocketAddr,
    bytes: Arc<AtomicU64>,
}

impl Sink {
    /// Its thread ends with the process.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let bytes = Arc::new(AtomicU64::new(0));
        let counter = bytes.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counter = counter.clone();
                // A client that goes away ends its connection only.
                thread::spawn(move || serve(stream, &counter).ok());
            }
        });
        Self { address, bytes }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Bytes of all bodies.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

fn serve(stream: TcpStream, bytes: &AtomicU64) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = stream.try_clone()?;
    let mut input = BufReader::with_capacity(256 << 10, stream);
    loop {
        let mut length = 0_u64;
        let mut line = String::new();
        let mut is_waiting = false;
        loop {
            line.clear();
            if input.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let header = line.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length: ") {
                length = value.parse().unwrap_or(0);
            }
            is_waiting |= header.starts_with("expect:");
        }
        if is_waiting {
            out.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        std::io::copy(&mut input.by_ref().take(length), &mut std::io::sink())?;
        bytes.fetch_add(length, Ordering::Relaxed);
        out.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    }
}
