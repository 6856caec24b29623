//! An answer of any size in bounded memory: batch by batch as it comes, with its progress, and cancelled in the middle.
//!
//! `cargo run --example stream_large_result` brings its own server. With `INFLUX_HOST` set (and `INFLUX_TOKEN`,
//! `INFLUX_DATABASE` if need be) it talks to that one.

use std::error::Error;
use std::time::Duration;

use influxdb3_blocking::{Client, ErrorKind, LineBuffer, Rows, Timestamp};

mod server;

const ROWS: i64 = 200_000;

fn main() -> Result<(), Box<dyn Error>> {
    let (builder, _server) = server::find(Client::builder())?;
    let client = builder.build()?;

    let mut lines = LineBuffer::new();
    for n in 0..ROWS {
        let line = lines.measurement("signal")?.tag("channel", "a")?;
        line.field("value", n)?.at(Timestamp::seconds(1_700_000_000 + n))?;
    }
    client.write(&lines).send()?;

    // At most 32 MiB are read ahead of this loop, however slow it is and however large the answer.
    let query = client.query("SELECT time, value FROM signal ORDER BY time");
    let reader = query.timeout(Duration::from_secs(60)).reader()?;
    let (mut batches, mut sum) = (0, 0);
    for batch in reader {
        let batch = batch.map_err(influxdb3_blocking::Error::from)?;
        batches += 1;
        for row in Rows::new(&batch) {
            sum += row.get::<i64>("value")?;
        }
    }
    println!("{batches} batches, the sum is {sum}");
    assert_eq!(sum, ROWS * (ROWS - 1) / 2);

    // A query that was answered enough is cancelled, here by the thread that reads it; any other may do so.
    let mut reader = client.query("SELECT time, value FROM signal").reader()?;
    let cancel = reader.cancel_handle();
    let first = reader.next().ok_or("an answer without rows")??;
    println!("{} rows in the first batch", first.num_rows());
    cancel.cancel();
    let end = reader.find_map(Result::err).map(influxdb3_blocking::Error::from);
    println!("then: {:?}", end.map(|error| error.kind()));

    // A bound for a query that was not meant to be large.
    let bounded = client.query("SELECT * FROM signal").max_rows(1000).table();
    match bounded {
        Err(error) if error.kind() == ErrorKind::TooLarge => println!("As it should: {error}"),
        other => return Err(format!("no bound: {other:?}").into()),
    }

    client.close()?;
    Ok(())
}
