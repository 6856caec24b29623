//! `write_file` in batching mode where the buffer is full, and where it cannot wait.
#![cfg(feature = "csv")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use crate::support::batching::{NEVER, assert_adds_up, options, point};
use crate::support::http::{Gate, HANGS, Reply, Server};
use influxdb3_blocking::{Client, ErrorKind, WeakClient, WriteOptions};

/// A CSV file that is removed in the end.
struct Csv(PathBuf);

impl Csv {
    /// Each of its rows becomes a line of about a hundred bytes.
    fn new(rows: usize) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("files-limits-{}-{number}.csv", std::process::id());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut text = String::from("time,text\n");
        for row in 0..rows {
            text.push_str(&format!("{row},{}\n", "x".repeat(80)));
        }
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for Csv {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn client(server: &Server, options: WriteOptions) -> Client {
    let builder = Client::builder().host(server.url()).database("db").max_request_bytes(1000);
    builder.write_options(options).build().unwrap()
}

/// Refuses what is not of a file.
fn refusing_others() -> Server {
    Server::start(|_, request| {
        Reply::status(if request.text().starts_with("file") { 204 } else { 401 })
    })
}

#[test]
fn a_file_does_not_wait_for_room_that_earlier_failures_take() {
    let server = refusing_others();
    let csv = Csv::new(3000);
    let client = client(&server, options().buffer_limit(4 << 10).batch_size(1));
    let long = |n| format!("m f=\"{}\" {n}\n", "x".repeat(800));
    let (sender, written) = mpsc::channel();
    thread::spawn(move || {
        let mut is_first = true;
        let file = client.write_file(&csv.0).measurement("file").progress(|_| {
            if std::mem::take(&mut is_first) {
                client.write((0..3).map(long).collect::<String>()).send().unwrap();
                // They are refused, and nobody but this thread can ask for them.
                while client.write_stats().failed.lines < 3 {
                    thread::yield_now();
                }
            }
        });
        sender.send(file.send()).unwrap();
        assert_adds_up(&client);
    });
    let error = written.recv_timeout(HANGS).expect("the file waits for ever").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.resume_line().is_some_and(|line| line > 0), "{error}");
    let back = error.unsent().iter().filter(|batch| batch.line_protocol().starts_with(b"m "));
    assert_eq!(back.count(), 3);
}

#[test]
fn a_file_is_not_begun_before_earlier_failures_are_told() {
    let server = refusing_others();
    let csv = Csv::new(10);
    let client = client(&server, options().batch_size(1));
    client.write("m f=1 1").send().unwrap();
    // A flush would be told.
    while client.write_stats().failed.lines < 1 {
        thread::yield_now();
    }
    let error = client.write_file(&csv.0).measurement("file").send().unwrap_err();
    assert_eq!((error.kind(), error.lines_written()), (ErrorKind::Unauthorized, 0));
    let report = client.write_file(&csv.0).measurement("file").send().unwrap();
    assert_eq!(report.lines, 10);
    client.close().unwrap();
}

#[test]
fn a_writer_gets_the_room_that_a_file_gives_back() {
    // Everything is refused, so what failed takes the room until it is asked for.
    let server = Server::start(|_, _| Reply::status(401));
    let csv = Csv::new(30);
    let client = client(&server, options().buffer_limit(4 << 10));
    let (sender, done) = mpsc::channel();
    let writer = {
        let (client, sender) = (client.clone(), sender.clone());
        move || {
            for n in 0..200 {
                let _ = client.write(format!("m f=\"{}\" {n}", "x".repeat(800))).send();
            }
            sender.send(()).unwrap();
        }
    };
    thread::spawn(writer);
    thread::spawn({
        let client = client.clone();
        move || {
            for _ in 0..50 {
                client.write_file(&csv.0).measurement("file").send().unwrap_err();
            }
            sender.send(()).unwrap();
        }
    });
    for _ in 0..2 {
        done.recv_timeout(HANGS).expect("one of them waits for ever");
    }
    while client.close().is_err() {}
    assert_adds_up(&client);
}

#[test]
fn in_a_callback_nothing_of_a_file_is_written() {
    let server = Server::accepting();
    let csv = Csv::new(10);
    let handle: Arc<OnceLock<WeakClient>> = Arc::default();
    let (sender, tried) = mpsc::channel();
    let client = client(
        &server,
        options().success_callback({
            let (handle, path) = (handle.clone(), csv.0.clone());
            move |_| {
                let client = handle.get().and_then(WeakClient::upgrade).unwrap();
                sender.send(client.write_file(&path).measurement("file").send()).unwrap();
            }
        }),
    );
    handle.set(client.downgrade()).unwrap();
    client.write(point(1)).send().unwrap();
    client.flush().unwrap();
    let error = tried.recv_timeout(HANGS).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    client.close().unwrap();
    assert_eq!(client.write_stats().accepted.lines, 1);
}

#[test]
fn what_failed_of_a_file_is_told_though_the_client_is_closed_meanwhile() {
    let gate = Gate::default();
    let server = Server::start({
        let gate = gate.clone();
        move |n, _| match n {
            0 => Reply::status(401),
            _ => Reply::After(gate.clone(), Box::new(Reply::status(204))),
        }
    });
    let csv = Csv::new(2);
    let client = client(&server, options().batch_size(1).max_close_wait(Duration::ZERO));
    thread::scope(|scope| {
        let file = scope.spawn(|| client.write_file(&csv.0).measurement("file").send());
        server.wait_for(2);
        // The first line failed, the second one is on its way.
        let error = client.close().unwrap_err();
        assert_eq!(error.unsent().iter().map(|batch| batch.lines()).sum::<usize>(), 1);
        let error = file.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert_eq!(error.unsent().iter().map(|batch| batch.lines()).sum::<usize>(), 1);
    });
    gate.open();
    client.close().unwrap();
    assert_adds_up(&client);
}

#[test]
fn a_file_that_a_close_hands_back_is_not_reported_as_written() {
    let gate = Gate::default();
    let server = Server::start({
        let gate = gate.clone();
        move |_, _| Reply::After(gate.clone(), Box::new(Reply::status(503)))
    });
    let csv = Csv::new(2);
    let options = options().retry_interval(NEVER).max_retry_delay(NEVER).max_retry_time(2 * NEVER);
    let client = client(&server, options.max_close_wait(HANGS));
    thread::scope(|scope| {
        let file = scope.spawn(|| client.write_file(&csv.0).measurement("file").send());
        server.wait_for(1);
        let closing = scope.spawn(|| client.close());
        while client.write("").send().is_ok() {
            thread::yield_now();
        }
        // Now there is no time for the retry.
        gate.open();
        let error = closing.join().unwrap().unwrap_err();
        assert_eq!(error.unsent().iter().map(|batch| batch.lines()).sum::<usize>(), 2);
        assert_eq!(file.join().unwrap().unwrap_err().kind(), ErrorKind::Closed);
    });
    assert_eq!(client.write_stats().returned.lines, 2);
    assert_adds_up(&client);
}
