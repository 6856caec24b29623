//! Writes the home sensor data of InfluxData's tutorial as points and queries it back.
//!
//! `cargo run --example quickstart` brings its own server. With `INFLUX_HOST` set (and `INFLUX_TOKEN`,
//! `INFLUX_DATABASE` if need be) it talks to that one.

use std::error::Error;

use influxdb3_blocking::{Client, Point, Precision, Table, Timestamp};

mod server;

fn main() -> Result<(), Box<dyn Error>> {
    let (builder, _server) = server::find(Client::builder())?;
    let client = builder.build()?;
    println!("Connected to InfluxDB {}.", client.server_version()?);

    let points = read_points(include_str!("../tests/data/home.csv"))?;
    client.write(&points).precision(Precision::Second).send()?;
    println!("Wrote {} points.\n", points.len());

    let sql = "SELECT room, count(*) AS readings, avg(temp) AS temp, max(co) AS co \
               FROM home GROUP BY room ORDER BY room";
    println!("{sql}");
    print_rooms(&client.query(sql).table()?)?;

    let sql = "SELECT to_char(time, '%F %H:%M') AS at, temp, hum, co FROM home \
               WHERE room = $room AND co > $co ORDER BY time";
    println!("{sql}\n  with room = Kitchen, co = 1");
    let table = client.query(sql).param("room", "Kitchen").param("co", 1).table()?;
    print_readings(&table)?;

    client.close()?;
    Ok(())
}

/// A point for each line: time in seconds, room, temp, hum, co.
fn read_points(csv: &str) -> Result<Vec<Point>, Box<dyn Error>> {
    let mut points = Vec::new();
    for line in csv.lines().skip(1) {
        let [time, room, temp, hum, co] = line.split(',').collect::<Vec<_>>()[..] else {
            return Err(format!("not five columns: {line}").into());
        };
        let point = Point::new("home")
            .tag("room", room)
            .field("temp", temp.parse::<f64>()?)
            .field("hum", hum.parse::<f64>()?)
            .field("co", co.parse::<i64>()?)
            .time(Timestamp::seconds(time.parse()?));
        points.push(point);
    }
    Ok(points)
}

fn print_rooms(table: &Table) -> influxdb3_blocking::Result<()> {
    println!("{:-<42}\n{:<14}{:>10}{:>10}{:>8}", "", "room", "readings", "temp", "co");
    for row in table.rows() {
        println!(
            "{:<14}{:>10}{:>10.2}{:>8}",
            row.get::<&str>("room")?,
            row.get::<i64>("readings")?,
            row.get::<f64>("temp")?,
            row.get::<i64>("co")?
        );
    }
    println!();
    Ok(())
}

fn print_readings(table: &Table) -> influxdb3_blocking::Result<()> {
    println!("{:-<42}\n{:<18}{:>8}{:>8}{:>8}", "", "at", "temp", "hum", "co");
    for row in table.rows() {
        println!(
            "{:<18}{:>8.1}{:>8.1}{:>8}",
            row.get::<&str>("at")?,
            row.get::<f64>("temp")?,
            row.get::<f64>("hum")?,
            row.get::<i64>("co")?
        );
    }
    Ok(())
}
