//! From a tokio program: writes that never wait, queries on threads where blocking does no harm, and a query that ends with
//! the future that waits for it.
//!
//! `cargo run --example from_async` brings its own server. With `INFLUX_HOST` set (and `INFLUX_TOKEN`, `INFLUX_DATABASE`
//! if need be) it talks to that one.

use std::error::Error;
use std::time::Duration;

use influxdb3_blocking::arrow_array::RecordBatch;
use influxdb3_blocking::{CancelHandle, Client, OnFull, Point, Result, Table, WriteOptions};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

mod server;

/// Cancels its query when it is dropped.
struct CancelOnDrop(CancelHandle);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The whole answer. If the future is dropped, the query is cancelled.
async fn table(client: &Client, sql: &'static str) -> Result<Table> {
    let client = client.clone();
    let (handle, handed) = tokio::sync::oneshot::channel();
    let answer = spawn_blocking(move || {
        let query = client.query(sql);
        // Nobody takes it if the future is gone already.
        match handle.send(CancelOnDrop(query.cancel_handle())) {
            Ok(()) => query.table(),
            Err(cancel) => {
                drop(cancel);
                query.table()
            }
        }
    });
    let _cancel = handed.await;
    answer.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// The answer batch by batch. A receiver that is slow holds back the server, and one that is dropped ends the query.
fn batches(client: &Client, sql: &'static str) -> mpsc::Receiver<Result<RecordBatch>> {
    let (sender, receiver) = mpsc::channel(2);
    let client = client.clone();
    spawn_blocking(move || {
        let reader = match client.query(sql).reader() {
            Ok(reader) => reader,
            Err(error) => return drop(sender.blocking_send(Err(error))),
        };
        for batch in reader {
            if sender.blocking_send(batch.map_err(Into::into)).is_err() {
                return;
            }
        }
    });
    receiver
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    // With `OnFull::Error`, `send` never waits: it only copies lines, and fails if there is no room.
    let options = WriteOptions::default().on_full(OnFull::Error);
    let (builder, server) = server::find(Client::builder().write_options(options))?;
    let client = builder.build()?;
    for n in 0..1000 {
        client.write(Point::new("count").field("n", n)).send()?;
    }
    let flushing = client.clone();
    spawn_blocking(move || flushing.flush()).await??;

    let table = table(&client, "SELECT sum(n) AS sum FROM count");
    let table = timeout(Duration::from_secs(60), table).await??;
    for row in table.rows() {
        println!("the sum is {}", row.get::<i64>("sum")?);
    }

    let mut batches = batches(&client, "SELECT n FROM count");
    let mut rows = 0;
    while let Some(batch) = batches.recv().await {
        rows += batch?.num_rows();
    }
    println!("{rows} rows");

    spawn_blocking(move || client.close()).await??;
    spawn_blocking(move || drop(server)).await?;
    Ok(())
}
