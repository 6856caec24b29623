//! A struct is a record: which of its fields is what stands beside them, and the compiler checks the names.
//!
//! `cargo run --example derive --features derive` brings its own server. With `INFLUX_HOST` set (and `INFLUX_TOKEN`,
//! `INFLUX_DATABASE` if need be) it talks to that one.

use std::error::Error;

use influxdb3_blocking::{Client, Record, Timestamp};

mod server;

#[derive(Record)]
#[influx(measurement = "home")]
struct Reading {
    #[influx(tag)]
    room: &'static str,
    /// None is no tag.
    #[influx(tag)]
    floor: Option<u8>,
    temp: f64,
    /// None is no field.
    #[influx(rename = "humidity")]
    hum: Option<f64>,
    #[influx(time)]
    at: Timestamp,
    #[influx(skip)]
    raw: u16,
}

fn main() -> Result<(), Box<dyn Error>> {
    let (builder, _server) = server::find(Client::builder())?;
    let client = builder.build()?;

    let at = "2022-01-01T08:00:00Z".parse()?;
    let readings = [
        Reading { room: "Kitchen", floor: Some(0), temp: 21.5, hum: Some(35.9), at, raw: 0x0157 },
        Reading { room: "Attic", floor: None, temp: 17.25, hum: None, at, raw: 0x0113 },
    ];
    println!("raw: {:?}", readings.each_ref().map(|reading| reading.raw));
    client.write(&readings[..]).send()?;

    for row in client.query("SELECT * FROM home ORDER BY room").table()?.rows() {
        println!("{row:?}");
    }

    client.close()?;
    Ok(())
}
