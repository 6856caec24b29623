//! A proxy that tunnels by CONNECT, or refuses to.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A proxy on a free port. It ends with the test's process.
pub struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Tunnels to wherever it is asked to, if the request has `authorization`.
    pub fn start(authorization: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = heads.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let seen = seen.clone();
                thread::spawn(move || serve(client, authorization, &seen));
            }
        });
        Self { address, heads }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was asked of it.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn serve(
    client: TcpStream,
    authorization: Option<&str>,
    heads: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut input = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if input.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    heads.lock().unwrap().push(head.clone());
    let mut out = client.try_clone()?;
    let authorized = authorization.is_none_or(|value| {
        head.to_ascii_lowercase()
            .contains(&format!("proxy-authorization: {value}\r\n").to_ascii_lowercase())
    });
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    let (Some(target), true) = (target, authorized) else {
        out.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")?;
        return out.shutdown(Shutdown::Both);
    };
    let server = TcpStream::connect(target)?;
    out.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut from_server, mut to_server) = (server.try_clone()?, server);
    thread::spawn(move || {
        let _ = io::copy(&mut from_server, &mut out);
        let _ = out.shutdown(Shutdown::Both);
    });
    let _ = io::copy(&mut input, &mut to_server);
    to_server.shutdown(Shutdown::Both)
}
