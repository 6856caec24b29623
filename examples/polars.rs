//! A data frame of polars is written, and another one is queried back.
//!
//! `cargo run --example polars --features polars` brings its own server. With `INFLUX_HOST` set (and `INFLUX_TOKEN`,
//! `INFLUX_DATABASE` if need be) it talks to that one.

use std::error::Error;

use influxdb3_blocking::polars_core::df;
use influxdb3_blocking::{Client, Frame, Precision};

mod server;

fn main() -> Result<(), Box<dyn Error>> {
    let (builder, _server) = server::find(Client::builder())?;
    let client = builder.build()?;

    let home = df!(
        "time" => [1_641_024_000, 1_641_024_000, 1_641_027_600, 1_641_027_600],
        "room" => ["Kitchen", "Living Room", "Kitchen", "Living Room"],
        "temp" => [Some(21.0), Some(21.1), Some(23.0), None],
        "co" => [0, 0, 0, 1],
    )?;
    let frame = Frame::new(&home).measurement("home").tags(["room"]).date_unit(Precision::Second);
    client.write(frame).send()?;

    let sql = "SELECT room, avg(temp) AS temp, sum(co) AS co FROM home GROUP BY room ORDER BY room";
    let rooms = client.query(sql).dataframe()?;
    println!("{} rows of {:?}", rooms.height(), rooms.get_column_names());
    for (temp, co) in rooms.column("temp")?.f64()?.iter().zip(rooms.column("co")?.i64()?.iter()) {
        println!("{temp:?} {co:?}");
    }

    client.close()?;
    Ok(())
}
