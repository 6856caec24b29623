//! The records of the Python client's reference, one by one: line protocol, a point, a list of points, a dict.
//!
//! `cargo run --example records` brings its own server. With `INFLUX_HOST` set (and `INFLUX_TOKEN`, `INFLUX_DATABASE` if
//! need be) it talks to that one.

use std::error::Error;

use influxdb3_blocking::{Client, Point, Precision};

mod server;

fn main() -> Result<(), Box<dyn Error>> {
    let (builder, _server) = server::find(Client::builder())?;
    let client = builder.build()?;

    // A line protocol string.
    let points = r"home,room=Living\ Room temp=21.1,hum=35.9,co=0i 1641024000";
    client.write(points).precision(Precision::Second).send()?;

    // A point; the server gives it its time.
    let point = Point::new("home").tag("room", "Kitchen").field("temp", 72.0);
    client.write(point).send()?;

    // A list of points.
    let points = vec![
        Point::new("home")
            .tag("room", "Kitchen")
            .field("temp", 25.3)
            .field("hum", 20.2)
            .field("co", 9),
        Point::new("home")
            .tag("room", "Living Room")
            .field("temp", 24.0)
            .field("hum", 20.0)
            .field("co", 5),
    ];
    client.write(points).send()?;

    // A dict.
    let points = serde_json::json!({
        "measurement": "home",
        "tags": {"room": "Kitchen", "sensor": "K001"},
        "fields": {"temp": 72.2, "hum": 36.9, "co": 4},
        "time": 1641067200,
    });
    client.write(points).precision(Precision::Second).send()?;

    // All of it, and of that two columns.
    let table = client.query("SELECT * FROM home ORDER BY time").table()?;
    for row in table.select(&["room", "temp"])?.rows() {
        println!("{}: {}", row.get::<&str>("room")?, row.get::<f64>("temp")?);
    }

    client.close()?;
    Ok(())
}
