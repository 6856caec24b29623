//! Writes to three servers of which one dies after the other, with tokens that live for a short time.
//!
//! `cargo run --example hosts` brings its own servers.

use std::error::Error;
use std::sync::Arc;

use influxdb3_blocking::{Client, Point, Timestamp};
use influxdb3_dev_server::DevServer;

fn main() -> Result<(), Box<dyn Error>> {
    let servers = [DevServer::start()?, DevServer::start()?, DevServer::start()?];
    let servers = Arc::new(servers);

    // In the place of a log-in: a token that is good for 4 requests to the first server. The others want none.
    let issuer = servers.clone();
    let log_in = move || {
        println!("  (asked for a token)");
        Ok(issuer[0].issue_token(4))
    };

    let client = Client::builder()
        .hosts(servers.iter().map(DevServer::url))
        .token_from(log_in)
        .database("sensors")
        .build()?;
    let write = |seconds: i64| {
        let point = Point::new("home").tag("room", "Kitchen").field("temp", 21.5);
        client.write(point.time(Timestamp::seconds(seconds))).send()
    };

    for second in 0..10 {
        write(second)?;
    }
    println!("All are up: {} rows at the first.", servers[0].rows("sensors", "home"));

    servers[0].stop();
    (10..20).try_for_each(write)?;
    println!("The first one is gone: {} rows at the second.", servers[1].rows("sensors", "home"));

    servers[1].stop();
    servers[2].stop();
    match write(20) {
        Ok(()) => println!("Somebody has taken it."),
        Err(error) => {
            println!("All are gone: {error}");
            servers[1].resume()?;
            for batch in error.into_unsent() {
                client.write(batch).send()?;
            }
            println!("One is back: {} rows at the second.", servers[1].rows("sensors", "home"));
        }
    }
    Ok(())
}
