//! Writes a point, queries and shows rows.

use influxdb3_client::{Client, Point, Result};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let client = Client::from_env().await?;
    let point = Point::new("home").tag("room", "Kitchen").field("temp", 21.5);
    client.write(vec![point]).await?;
    let result = client.sql("SELECT room, temp FROM home").await?;
    for row in result {
        println!("{:?}", row?.values());
    }
    Ok(())
}
