//! Rows as values of a type of one's own, and single values as the types that one asks for.
//!
//! `cargo run --example read_rows --features serde` brings its own server. With `INFLUX_HOST` set (and `INFLUX_TOKEN`,
//! `INFLUX_DATABASE` if need be) it talks to that one.

use std::error::Error;

use influxdb3_blocking::{Client, Precision, Row, Timestamp};
use serde::Deserialize;

mod server;

/// A column that may be null is an `Option`; columns that are not named here are left out.
#[derive(Debug, Deserialize)]
struct Reading {
    time: Timestamp,
    room: String,
    temp: Option<f64>,
    co: i64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let (builder, _server) = server::find(Client::builder())?;
    let client = builder.build()?;
    let lines = "home,room=Kitchen temp=21.0,co=0i 1641024000\n\
                 home,room=Kitchen temp=23.0,co=0i 1641027600\n\
                 home,room=Living\\ Room temp=21.1,co=0i 1641024000\n\
                 home,room=Living\\ Room co=1i 1641027600";
    client.write(lines).precision(Precision::Second).send()?;

    let sql = "SELECT * FROM home WHERE time >= '2022-01-01' ORDER BY time, room";
    for reading in client.query(sql).rows::<Reading>()? {
        let Reading { time, room, temp, co } = reading?;
        println!("{time} {room}: {temp:?} °C, CO {co}");
    }

    // One value at a time, by name or by place.
    let table = client.query(sql).table()?;
    for row in table.rows() {
        let (room, temp): (&str, Option<f64>) = (row.get("room")?, row.get("temp")?);
        println!("{room}: {temp:?}");
    }

    // A whole column.
    let counts: Vec<i64> = table.values("co")?.collect::<Result<_, _>>()?;
    println!("CO: {counts:?}");

    // Lists and structs.
    let nested = "SELECT room, array_agg(temp ORDER BY time) AS temps, named_struct('since', min(time)) AS about \
                  FROM home GROUP BY room ORDER BY room";
    for row in client.query(nested).table()?.rows() {
        let (temps, about): (Vec<Option<f64>>, Row<'_>) = (row.get("temps")?, row.get("about")?);
        println!("{}: {temps:?} since {}", row.get::<&str>("room")?, about.get::<String>("since")?);
    }

    // What does not fit is an error that names the column.
    if let Some(Err(error)) = table.row(0).map(|row| row.get::<i64>("room")) {
        println!("As it should, this failed: {error}");
    }

    client.close()?;
    Ok(())
}
