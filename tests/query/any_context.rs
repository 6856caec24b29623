//! A blocking client is safe in every context: inside of any async runtime, on any thread, while unwinding.
#![cfg(feature = "query")]

use std::thread;

use crate::support::batches::{answer, numbers};
use crate::support::flight::{FlightServer, Step};
use influxdb3_blocking::{Client, Error, ErrorKind};
use tokio::runtime::Builder;
use tokio::task::{LocalSet, block_in_place, spawn_blocking};

/// Builds a client, queries in each way, drops it. More often than the 128 steps that a tokio task has.
fn live(url: &str) {
    let client = client(url);
    for _ in 0..300 {
        assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 3);
    }
    let mut reader = client.query("SELECT 1").reader().unwrap();
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 3);
    drop(client);
    let end = reader.next();
    assert!(end.is_none(), "a reader outlives its client: {end:?}");
}

fn client(url: &str) -> Client {
    Client::builder().host(url).database("sensors").build().unwrap()
}

fn server() -> FlightServer {
    FlightServer::replay(answer(vec![numbers(3)]))
}

#[test]
fn on_a_plain_thread() {
    live(&server().url());
}

#[test]
fn in_a_current_thread_runtime() {
    let server = server();
    Builder::new_current_thread().build().unwrap().block_on(async { live(&server.url()) });
}

#[test]
fn in_a_task_of_a_multi_thread_runtime() {
    let server = server();
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let url = server.url();
    runtime.block_on(async { tokio::spawn(async move { live(&url) }).await.unwrap() });
    runtime.block_on(async { block_in_place(|| live(&server.url())) });
}

#[test]
fn in_spawn_blocking() {
    let server = server();
    let url = server.url();
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { spawn_blocking(move || live(&url)).await.unwrap() });
}

#[test]
fn in_a_local_set() {
    let server = server();
    let url = server.url();
    let runtime = Builder::new_current_thread().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        tokio::task::spawn_local(async move { live(&url) }).await.unwrap();
    });
}

#[test]
fn a_client_that_is_dropped_while_unwinding_does_no_harm() {
    let server = server();
    let url = server.url();
    let panicked = thread::spawn(move || {
        let client = client(&url);
        let _reader = client.query("SELECT 1").reader().unwrap();
        panic!("told to");
    });
    assert!(panicked.join().is_err());
    live(&server.url());
}

#[test]
fn many_threads_share_one_connection() {
    let server = server();
    let client = client(&server.url());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 3);
                }
            });
        }
    });
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_closed_client_refuses_queries_and_ends_its_readers() {
    let mut steps = answer(vec![numbers(3)]);
    steps.pop();
    steps.push(Step::Stall);
    let server = FlightServer::replay(steps);
    let client = client(&server.url());
    let clone = client.clone();
    let mut reader = client.query("SELECT 1").reader().unwrap();
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 3);
    client.close().unwrap();
    client.close().unwrap();
    let error = Error::from(reader.next().unwrap().unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert!(reader.next().is_none());
    assert_eq!(clone.query("SELECT 1").table().unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn clients_that_never_query_start_no_thread() {
    let before = threads();
    let clients: Vec<_> = (0..20).map(|_| client("http://localhost:1")).collect();
    // Other tests run beside this one.
    assert!(threads() < before + 20);
    drop(clients);
}

#[cfg(target_os = "linux")]
fn threads() -> usize {
    let named = |task: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
    };
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks.filter_map(named).filter(|name| name.starts_with("influxdb3-query")).count()
}

#[cfg(not(target_os = "linux"))]
fn threads() -> usize {
    0
}
