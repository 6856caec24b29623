//! The whole client inside of async runtimes, against the dev server: built, used, closed and dropped.
#![cfg(feature = "query")]

use influxdb3_blocking::{Client, Point, Timestamp};
use influxdb3_dev_server::DevServer;
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_blocking, spawn_local};

/// A life of a client, in one poll of a task.
fn live() {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    for n in 0..150 {
        client.write(Point::new("m").field("n", n).time(Timestamp::nanos(n))).send().unwrap();
        let table = client.query("SELECT max(n) AS n FROM m").table().unwrap();
        assert_eq!(table.rows().next().unwrap().get::<i64>("n").unwrap(), n);
    }
    client.ping().unwrap();
    let reader = client.query("SELECT n FROM m").reader().unwrap();
    assert_eq!(reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 150);
    client.close().unwrap();
    drop(client);
}

#[test]
fn in_a_current_thread_runtime() {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(async { live() });
}

#[test]
fn in_a_multi_thread_runtime() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::spawn(async { live() }).await.unwrap() });
}

#[test]
fn in_spawn_blocking() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { spawn_blocking(live).await.unwrap() });
}

#[test]
fn in_a_local_set() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async { spawn_local(async { live() }).await.unwrap() });
}
