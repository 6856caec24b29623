//! Writes points in batches.

use influxdb3_blocking::{Client, Point, Result, WriteOptions};

fn main() -> Result<()> {
    let options = WriteOptions::default();
    let client = Client::builder().with_env().write_options(options).build()?;
    for number in 0..10_000_i64 {
        client.write(Point::new("home").tag("room", "Kitchen").field("n", number)).send()?;
    }
    client.close()
}
