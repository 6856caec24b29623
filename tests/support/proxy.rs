//! Proxies: by CONNECT, within TLS, and by SOCKS 5. Each runs on a free port and ends with the test's process.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A proxy that tunnels by CONNECT.
pub struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Tunnels to wherever it is asked to, if the request has `authorization`.
    pub fn start(authorization: Option<&'static str>) -> Self {
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = heads.clone();
        let address = listen(move |client| serve(client, authorization, &seen));
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

/// The same behind TLS: what comes to the address that is returned goes on to `inner` in the clear.
#[cfg(feature = "tls")]
pub fn behind_tls(leaf: &super::tls::Leaf, inner: SocketAddr) -> SocketAddr {
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(super::tls::server_config(
        leaf,
        super::tls::Wanted::Nobody,
    )));
    let (ready, address) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            ready.send(listener.local_addr().unwrap()).unwrap();
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut client = acceptor.accept(client).await.ok()?;
                    let mut inner = tokio::net::TcpStream::connect(inner).await.ok()?;
                    tokio::io::copy_bidirectional(&mut client, &mut inner).await.ok()
                });
            }
        });
    });
    address.recv().unwrap()
}

/// A proxy that speaks SOCKS 5, as RFC 1928 and 1929 have it.
pub struct Socks {
    address: SocketAddr,
    targets: Arc<Mutex<Vec<String>>>,
}

impl Socks {
    /// Wants `credentials` if there are any. Every name is known to be at `names`.
    pub fn start(
        credentials: Option<(&'static str, &'static str)>,
        names: Option<SocketAddr>,
    ) -> Self {
        let targets: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = targets.clone();
        let address = listen(move |client| serve_socks(client, credentials, names, &seen));
        Self { address, targets }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it was asked to go, names as names.
    pub fn targets(&self) -> Vec<String> {
        self.targets.lock().unwrap().clone()
    }
}

fn listen(serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            thread::spawn(move || serve(client));
        }
    });
    address
}

fn serve(
    client: TcpStream,
    authorization: Option<&str>,
    heads: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut input = BufReader::new(client.try_clone()?);
    let head = read_head(&mut input)?;
    heads.lock().unwrap().push(head.clone());
    let mut out = client;
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
    relay(input, out, server)
}

fn serve_socks(
    mut client: TcpStream,
    credentials: Option<(&str, &str)>,
    names: Option<SocketAddr>,
    targets: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let [version, count] = read(&mut client)?;
    assert_eq!(version, 5);
    let mut methods = vec![0; usize::from(count)];
    client.read_exact(&mut methods)?;
    let method = if credentials.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        client.write_all(&[5, 0xff])?;
        return client.shutdown(Shutdown::Both);
    }
    client.write_all(&[5, method])?;
    if let Some((user, password)) = credentials {
        assert_eq!(read(&mut client)?, [1]);
        let given = (read_text(&mut client)?, read_text(&mut client)?);
        let is_right = given == (user.to_owned(), password.to_owned());
        client.write_all(&[1, u8::from(!is_right)])?;
        if !is_right {
            return client.shutdown(Shutdown::Both);
        }
    }
    let [_, command, _, kind] = read(&mut client)?;
    assert_eq!(command, 1);
    let (host, is_name) = match kind {
        1 => (std::net::Ipv4Addr::from(read::<4>(&mut client)?).to_string(), false),
        4 => (format!("[{}]", std::net::Ipv6Addr::from(read::<16>(&mut client)?)), false),
        _ => (read_text(&mut client)?, true),
    };
    let port = u16::from_be_bytes(read(&mut client)?);
    targets.lock().unwrap().push(format!("{host}:{port}"));
    let server = match names.filter(|_| is_name) {
        Some(address) => TcpStream::connect(address),
        None => TcpStream::connect(format!("{host}:{port}")),
    };
    let Ok(server) = server else {
        client.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0])?;
        return client.shutdown(Shutdown::Both);
    };
    // The address that it connects from, in each of its forms.
    match kind {
        1 => client.write_all(b"\x05\0\0\x01\x7f\0\0\x01\0\x50")?,
        _ => client.write_all(b"\x05\0\0\x03\x04here\0\x50")?,
    }
    relay(client.try_clone()?, client, server)
}

fn relay(mut input: impl Read, mut out: TcpStream, server: TcpStream) -> io::Result<()> {
    let (mut from_server, mut to_server) = (server.try_clone()?, server);
    thread::spawn(move || {
        let _ = io::copy(&mut from_server, &mut out);
        let _ = out.shutdown(Shutdown::Both);
    });
    let _ = io::copy(&mut input, &mut to_server);
    to_server.shutdown(Shutdown::Both)
}

fn read_head(input: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if input.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}

fn read<const N: usize>(input: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_text(input: &mut impl Read) -> io::Result<String> {
    let [length] = read(input)?;
    let mut text = vec![0; usize::from(length)];
    input.read_exact(&mut text)?;
    Ok(String::from_utf8(text).unwrap())
}
