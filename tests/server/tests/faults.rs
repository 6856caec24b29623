//! What a server does that is slow, ill, or gone for a moment.

mod support;

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use influxdb3_dev_server::{DevServer, Fault};
use support::{http, post};

const V2: &str = "/api/v2/write?bucket=db&precision=ns";
const V3: &str = "/api/v3/write_lp?db=db&precision=ns";
const V3_NO_SYNC: &str = "/api/v3/write_lp?db=db&precision=ns&no_sync=true";

/// Flushes its WAL only when told.
fn waiting_server() -> DevServer {
    DevServer::builder().wal_flush_interval(Duration::MAX).start().unwrap()
}

fn wait_until(mut done: impl FnMut() -> bool) {
    while !done() {
        thread::yield_now();
    }
}

#[test]
fn durable_writes_of_one_interval_are_answered_together() {
    let server = waiting_server();
    thread::scope(|scope| {
        let post = |path, lines| {
            scope.spawn({
                let server = &server;
                move || post(server, path, lines)
            })
        };
        let writes = [post(V2, "m f=1 1"), post(V3, "m f=2 2"), post(V3, "m f=3 3\nbad")];
        wait_until(|| server.waiting_writes() == 3);
        assert!(writes.iter().all(|write| !write.is_finished()));
        assert_eq!(server.rows("db", "m"), 3, "stored they are");
        server.flush_wal();
        let answers = writes.map(|write| write.join().unwrap());
        assert_eq!(answers.each_ref().map(|answer| answer.status), [204, 204, 400]);
        assert!(answers[2].text().contains("partial write"), "{}", answers[2].text());
        assert_eq!(server.waiting_writes(), 0);
    });
}

#[test]
fn what_puts_nothing_into_the_wal_does_not_wait_for_it() {
    let server = waiting_server();
    assert_eq!(post(&server, V3_NO_SYNC, "m f=1 1").status, 204);
    assert_eq!(server.rows("db", "m"), 1);
    assert_eq!(post(&server, V2, "m f=1 1\nbad").status, 400);
    assert_eq!(post(&server, V3, "bad").status, 400);
    assert_eq!(post(&server, V3, "").status, 400);
    assert_eq!(http(&server, "GET", "/ping", &[], b"").unwrap().status, 200);
}

/// Each write but the first comes in after a flush, so that it waits for a whole interval.
#[test]
fn one_writer_gets_one_durable_write_done_in_an_interval() {
    let interval = Duration::from_millis(100);
    let server = DevServer::builder().wal_flush_interval(interval).start().unwrap();
    let start = Instant::now();
    for n in 0..4 {
        assert_eq!(post(&server, V2, format!("m f={n} {n}")).status, 204);
    }
    // The clock of the runtime's timers has a resolution of one millisecond.
    assert!(start.elapsed() >= 3 * interval - Duration::from_millis(3), "{:?}", start.elapsed());
}

#[test]
fn faults_have_the_answers_of_a_real_server() {
    let server = DevServer::start().unwrap();
    for (fault, message) in [
        (
            Fault::Stopping,
            "write buffer error: error from wal: wal is shutdown and not accepting writes",
        ),
        (Fault::WalFull, "write buffer error: error from wal: wal buffer full with 100000 ops"),
        (
            Fault::ObjectStore,
            "write buffer error: error from wal: error writing wal file: Generic S3 error: error sending request",
        ),
        (Fault::CompactorOnly, "write buffer error: cannot write to a compactor-only server"),
    ] {
        server.set_fault(fault);
        let answer = post(&server, V2, "m f=1 1");
        let expected = format!(r#"{{"code":"invalid","message":"{message}"}}"#);
        assert_eq!((answer.status, answer.text()), (400, &*expected));
        let answer = post(&server, V3, "m f=1 1");
        assert_eq!((answer.status, answer.text()), (500, message));
        // What is wrong with a request comes first, but for a node that looks at none.
        let answer = post(&server, V2, "bad");
        let expected = match fault {
            Fault::CompactorOnly => message,
            _ => "write buffer error: parsing for line protocol failed",
        };
        assert!(answer.text().contains(expected), "{}", answer.text());
        assert_eq!(post(&server, "/api/v2/write", "m f=1 1").status, 400);
        assert_eq!(http(&server, "GET", "/health", &[], b"").unwrap().status, 200);
    }
    assert_eq!(server.rows("db", "m"), 0, "nothing of all that is stored");
    server.set_fault(None);
    assert_eq!(post(&server, V2, "m f=1 1").status, 204);
    assert_eq!(server.rows("db", "m"), 1);

    let compactor = DevServer::builder().fault(Fault::CompactorOnly).start().unwrap();
    assert_eq!(post(&compactor, V2, "m f=1 1").status, 400);
}

#[test]
fn who_does_not_wait_for_the_wal_does_not_hear_that_it_fails() {
    let server = DevServer::builder().wal_flush_interval(Duration::MAX).fault(Fault::ObjectStore);
    let server = server.start().unwrap();
    assert_eq!(post(&server, V3_NO_SYNC, "m f=1 1").status, 204);
    thread::scope(|scope| {
        let write = scope.spawn(|| post(&server, V2, "m f=1 1"));
        wait_until(|| server.waiting_writes() == 1);
        server.flush_wal();
        assert_eq!(write.join().unwrap().status, 400);
    });
    assert_eq!(server.rows("db", "m"), 0);
    // The others know at once.
    for fault in [Fault::Stopping, Fault::WalFull] {
        server.set_fault(fault);
        assert_eq!(post(&server, V3_NO_SYNC, "m f=1 1").status, 500);
        assert_eq!(post(&server, V2, "m f=1 1").status, 400);
    }
}

#[test]
fn a_server_that_is_being_stopped_answers_those_who_wait() {
    let server = waiting_server();
    thread::scope(|scope| {
        let write = scope.spawn(|| post(&server, V2, "m f=1 1"));
        wait_until(|| server.waiting_writes() == 1);
        server.set_fault(Fault::Stopping);
        assert_eq!(write.join().unwrap().status, 204);
    });
}

#[test]
fn a_server_that_is_stopped_is_gone_and_comes_back_on_its_port_with_its_data() {
    let server = DevServer::builder().record_requests(true).start().unwrap();
    let (url, addr) = (server.url(), server.addr());
    let process = |server: &DevServer| http(server, "GET", "/ping", &[], b"").unwrap().body;
    let first = process(&server);
    assert_eq!(first, process(&server));
    assert_eq!(post(&server, V2, "m f=1 1").status, 204);
    for round in 2..5_usize {
        let mut open = TcpStream::connect(addr).unwrap();
        open.write_all(b"POST /api/v2/write HTTP/1.1\r\n").unwrap();
        server.stop();
        assert!(matches!(open.read(&mut [0]), Ok(0) | Err(_)), "the connection is closed");
        let refused = TcpStream::connect(addr).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        server.stop();
        assert_eq!(server.rows("db", "m"), round - 1, "the data can be looked at");
        server.resume().unwrap();
        server.resume().unwrap();
        assert_eq!((server.url(), server.addr()), (url.clone(), addr));
        assert_eq!(post(&server, V2, format!("m f=1 {round}")).status, 204);
        assert_eq!(server.rows("db", "m"), round);
    }
    assert_ne!(process(&server), first, "it is another process");
    assert!(server.requests().len() > 5, "the requests are those of all its lives");
    server.stop();
    drop(server);
    assert!(TcpStream::connect(addr).is_err());
}

#[test]
fn a_write_that_nobody_answered_before_the_restart_is_stored() {
    let server = waiting_server();
    thread::scope(|scope| {
        let write = scope.spawn(|| http(&server, "POST", V2, &[], b"m f=1 1"));
        wait_until(|| server.waiting_writes() == 1);
        server.restart().unwrap();
        // The end of the connection may be a reset, which the helper of the test does not take.
        assert!(!matches!(write.join(), Ok(Some(_))), "no answer");
    });
    assert_eq!((server.rows("db", "m"), server.waiting_writes()), (1, 0));
    assert_eq!(post(&server, V3_NO_SYNC, "m f=2 2").status, 204);
}

#[test]
fn a_restart_keeps_tls() {
    let (cert, key) = (include_str!("tls/localhost.pem"), include_str!("tls/localhost.key"));
    let server = DevServer::builder().tls(cert, key).start().unwrap();
    server.restart().unwrap();
    assert!(server.url().starts_with("https://"), "{server:?}");
    let mut plain = TcpStream::connect(server.addr()).unwrap();
    plain.write_all(b"GET /health HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "no plain text on a port with TLS");
}
