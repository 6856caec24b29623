//! Takes an answer in each of its forms: a table, rows, chunks, a reader, its schema alone.
//!
//! `cargo run --example result_forms` brings its own server. With `INFLUX_HOST` set (and `INFLUX_TOKEN`, `INFLUX_DATABASE` if
//! need be) it talks to that one.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use influxdb3_blocking::{Client, Language, Precision, Row, Rows};

mod server;

fn main() -> Result<(), Box<dyn Error>> {
    let (builder, _server) = server::find(Client::builder())?;
    let client = builder.build()?;
    let lines = "home,room=Kitchen temp=21.0,hum=35.9,co=0i 1641024000\n\
                 home,room=Kitchen temp=23.0,hum=36.2,co=0i 1641027600\n\
                 home,room=Living\\ Room temp=21.1,hum=35.9,co=0i 1641024000\n\
                 home,room=Living\\ Room temp=21.4,hum=35.9,co=1i 1641027600";
    client.write(lines).precision(Precision::Second).send()?;
    let sql = "SELECT * FROM home WHERE time >= '2022-01-01' ORDER BY time, room";

    // All of it, as a table.
    let table = client.query(sql).table()?;
    println!("{} rows of {} columns", table.num_rows(), table.num_columns());
    for row in table.select(&["room", "temp"])?.rows() {
        println!("  {row:?}");
    }
    let mut humidity: BTreeMap<String, usize> = BTreeMap::new();
    for row in table.rows() {
        *humidity.entry(format!("{:.1}", row.get::<f64>("hum")?)).or_default() += 1;
    }
    println!("How often each humidity was: {humidity:?}");

    let temps: Vec<f64> = table.values("temp")?.collect::<Result<_, _>>()?;
    println!("Temperatures: {temps:?}");

    // Batch by batch as they come, in bounded memory. This is an Arrow `RecordBatchReader`.
    let mut warmest = f64::MIN;
    for batch in client.query(sql).reader()? {
        for row in Rows::new(&batch?) {
            warmest = warmest.max(row.get("temp")?);
        }
    }
    println!("The highest temperature: {warmest}");

    // Message by message, with what the server says beside the data.
    for chunk in client.query(sql).chunks()? {
        let chunk = chunk?;
        println!("A chunk: {} rows, {:?}", chunk.data.num_rows(), chunk.app_metadata);
    }

    // No rows, only what they would be.
    for field in client.query(sql).schema()?.fields() {
        println!("  {}: {}", field.name(), field.data_type());
    }

    // Parameters keep what comes from outside out of the query's text.
    let table = client
        .query("SELECT count(*) AS readings FROM home WHERE room = $room AND temp > $limit")
        .param("room", "Kitchen")
        .param("limit", 22.5)
        .timeout(Duration::from_secs(10))
        .table()?;
    if let Some(row) = table.row(0) {
        println!("Warm readings in the kitchen: {}", row.get::<i64>("readings")?);
    }

    // Lists and structs.
    let nested = "SELECT room, array_agg(temp ORDER BY time) AS temps, named_struct('since', min(time)) AS about \
               FROM home GROUP BY room ORDER BY room";
    for row in client.query(nested).table()?.rows() {
        let (temps, about): (Vec<f64>, Row<'_>) = (row.get("temps")?, row.get("about")?);
        println!("{}: {temps:?} since {}", row.get::<&str>("room")?, about.get::<String>("since")?);
    }

    // What there is.
    for table in client.tables()? {
        let columns = client.columns(&table)?;
        let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        println!("The table {table} has {}", names.join(", "));
    }

    // InfluxQL.
    let table = client.query("SHOW MEASUREMENTS").language(Language::InfluxQl).table()?;
    for row in table.rows() {
        println!("A measurement: {}", row.get::<&str>("name")?);
    }

    shapes(&client, sql)?;
    client.close()?;
    Ok(())
}

/// What features add: printed tables and rows of the caller's types.
#[cfg(all(feature = "pretty", feature = "serde"))]
fn shapes(client: &Client, sql: &str) -> influxdb3_blocking::Result<()> {
    #[derive(Debug, serde::Deserialize)]
    struct Home {
        room: String,
        temp: f64,
    }

    println!("{}", client.query(sql).table()?.display().max_rows(3).max_width(60));
    for home in client.query(sql).rows::<Home>()? {
        let Home { room, temp } = home?;
        println!("{room}: {temp}");
    }
    Ok(())
}

#[cfg(not(all(feature = "pretty", feature = "serde")))]
fn shapes(_: &Client, _: &str) -> influxdb3_blocking::Result<()> {
    println!("With --features pretty,serde this shows more.");
    Ok(())
}
