//! Arrow record batches are written, and come back as they are.
//!
//! `cargo run --example arrow_in_out` brings its own server. With `INFLUX_HOST` set (and `INFLUX_TOKEN`,
//! `INFLUX_DATABASE` if need be) it talks to that one.

use std::error::Error;
use std::sync::Arc;

use influxdb3_blocking::arrow_array::cast::AsArray;
use influxdb3_blocking::arrow_array::types::Float64Type;
use influxdb3_blocking::arrow_array::{
    Array, ArrayRef, Float64Array, RecordBatch, StringArray, TimestampSecondArray,
};
use influxdb3_blocking::{Client, Columns};

mod server;

fn main() -> Result<(), Box<dyn Error>> {
    let (builder, _server) = server::find(Client::builder())?;
    let client = builder.build()?;

    let times = TimestampSecondArray::from(vec![1_641_024_000, 1_641_027_600, 1_641_031_200]);
    let rooms = StringArray::from(vec!["Kitchen", "Bath", "Kitchen"]);
    let temps = Float64Array::from(vec![Some(21.5), Some(24.0), None]);
    let hums = Float64Array::from(vec![35.9, 51.0, 36.2]);
    let batch = RecordBatch::try_from_iter([
        ("time", Arc::new(times) as ArrayRef),
        ("room", Arc::new(rooms)),
        ("temp", Arc::new(temps)),
        ("hum", Arc::new(hums)),
    ])?;
    client.write(Columns::new(&batch).measurement("home").tags(["room"])).send()?;

    // A reader is an Arrow `RecordBatchReader`, for everything that takes one.
    let reader = client.query("SELECT time, room, temp FROM home ORDER BY time").reader()?;
    println!("{}", reader.schema());
    for batch in reader {
        let batch = batch?;
        let temps = batch.column_by_name("temp").ok_or("no column temp")?;
        let temps = temps.as_primitive::<Float64Type>();
        println!("{} values, {} of them null", temps.len(), temps.null_count());
    }

    // What was queried can be written to another table.
    let table = client.query("SELECT time, room, temp FROM home").table()?;
    for batch in table.batches() {
        client.write(Columns::new(batch).measurement("copy").tags(["room"])).send()?;
    }
    println!("{:?}", client.tables()?);

    client.close()?;
    Ok(())
}
