//! Writes a point, queries and shows rows.

use influxdb3_blocking::{Client, Point, Result};

fn main() -> Result<()> {
    let client = Client::from_env()?;
    client.write(Point::new("home").tag("room", "Kitchen").field("temp", 21.5)).send()?;
    let table = client.query("SELECT room, temp FROM home").table()?;
    for row in table.rows() {
        println!("{row:?}");
    }
    Ok(())
}
