//! Connecting takes one time for all of its stages, and who was too slow is named.
#![cfg(all(feature = "query", feature = "tls"))]

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{io, thread};

use influxdb3_blocking::{Client, ClientBuilder, Error, ErrorKind};

/// A write and a query.
fn both_fail(builder: ClientBuilder) -> [Error; 2] {
    let client = builder.database("db").build().unwrap();
    let write = client.write("m f=1 1").send().unwrap_err();
    assert_eq!(write.unsent().len(), 1, "the lines come back");
    assert!(!write.in_doubt(), "nothing was sent");
    [write, client.query("SELECT 1").table().unwrap_err()]
}

fn check(error: &Error, text: &str) {
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Timeout, text));
    assert!(error.is_retryable());
}

/// Takes connections and says nothing. Counts them.
fn silent() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming().map_while(Result::ok) {
            counted.fetch_add(1, Ordering::SeqCst);
            open.push(stream);
        }
    });
    (address, count)
}

#[test]
fn a_handshake_that_does_not_end_is_not_tried_twice() {
    let (address, count) = silent();
    let host = format!("https://{address}");
    let text = format!(
        "{host} did not end the TLS handshake within 200ms (connect_timeout); is it a TLS port?"
    );
    let limit = Duration::from_millis(200);
    for error in both_fail(Client::builder().host(&host).connect_timeout(limit)) {
        check(&error, &text);
    }
    // The thread that accepts may be a little behind.
    let start = Instant::now();
    while count.load(Ordering::SeqCst) < 2 && start.elapsed() < crate::support::http::HANGS {
        thread::yield_now();
    }
    assert_eq!(count.load(Ordering::SeqCst), 2, "one of the write and one of the query");
}

#[test]
fn the_stages_of_connecting_share_one_time() {
    const LIMIT: Duration = Duration::from_secs(2);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    // A proxy that takes most of the time, and a server behind it that never answers.
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || serve_slowly(client, LIMIT * 3 / 4));
        }
    });
    let builder = Client::builder().host("https://example.invalid").proxy(&proxy);
    let client = builder.connect_timeout(LIMIT).database("db").build().unwrap();
    let text = "https://example.invalid:443 did not end the TLS handshake within 2s (connect_timeout); is it a TLS port?";
    for call in [
        |client: &Client| client.write("m f=1 1").send().unwrap_err(),
        |client: &Client| client.query("SELECT 1").table().unwrap_err(),
    ] {
        let start = Instant::now();
        check(&call(&client), text);
        // With a time for each stage it would be 3.5 s.
        assert!(start.elapsed() < LIMIT * 13 / 8, "{:?}", start.elapsed());
    }
}

fn serve_slowly(mut client: TcpStream, wait: Duration) -> io::Result<()> {
    use std::io::{Read, Write};
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    thread::sleep(wait); // The delay is what is tested, not a synchronisation.
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    client.read_to_end(&mut Vec::new()).map(drop)
}

#[test]
fn a_proxy_that_says_nothing_is_named() {
    let (address, _) = silent();
    let limit = Duration::from_millis(100);
    for scheme in ["http", "https", "socks5"] {
        let builder = Client::builder().host("http://example.invalid:8181").connect_timeout(limit);
        for error in both_fail(builder.proxy(format!("{scheme}://{address}"))) {
            check(
                &error,
                &format!(
                    "the proxy {scheme}://{address} opened no way to http://example.invalid:8181 within 100ms \
                     (connect_timeout)"
                ),
            );
        }
    }
}

/// A port whose queue of connections is full, so that Linux leaves whoever comes next without an answer.
#[cfg(target_os = "linux")]
fn full() -> (tokio::net::TcpListener, Vec<TcpStream>, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let guard = runtime.enter();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        queue.push(stream);
    }
    drop(guard);
    (listener, queue, runtime)
}

#[test]
#[cfg(target_os = "linux")]
fn a_host_that_does_not_answer_names_the_limit() {
    let (listener, _queue, _runtime) = full();
    let host = format!("http://{}", listener.local_addr().unwrap());
    let why = "is the address right, and does no firewall stand in between?";
    let limit = Duration::from_millis(200);
    for error in both_fail(Client::builder().host(&host).connect_timeout(limit)) {
        check(
            &error,
            &format!("{host} did not accept a connection within 200ms (connect_timeout); {why}"),
        );
    }
    let client = Client::builder().host(&host).database("db").write_timeout(limit).build().unwrap();
    check(
        &client.write("m f=1 1").send().unwrap_err(),
        &format!("{host} did not accept a connection within 200ms (write_timeout); {why}"),
    );
}
