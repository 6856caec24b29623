//! The name of the database, wherever it comes from.
#![cfg(feature = "query")]

use influxdb3_blocking::{Client, ErrorKind, Point, Timestamp};
use influxdb3_dev_server::DevServer;

fn point() -> Point {
    Point::new("m").field("f", 1).time(Timestamp::nanos(1))
}

/// A name that was read from a file has a newline at its end.
#[test]
fn blanks_and_newlines_around_a_name_are_left_out_as_they_are_of_tokens() {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db\n").build().unwrap();
    client.write(point()).send().unwrap();
    assert_eq!(server.rows("db", "m"), 1);
    assert_eq!(client.query("SELECT * FROM m").table().unwrap().num_rows(), 1);
    client.write(point()).database(" other\r\n").send().unwrap();
    assert_eq!(server.rows("other", "m"), 1);
    let rows = client.query("SELECT * FROM m").database("other\n").table().unwrap().num_rows();
    assert_eq!(rows, 1);
    let text = format!("{}?database=third%0A", server.url());
    Client::from_connection_string(text).unwrap().write(point()).send().unwrap();
    assert_eq!(server.rows("third", "m"), 1);

    let none = Client::builder().host(server.url()).database(" \n").build().unwrap();
    assert_eq!(none.write(point()).send().unwrap_err().kind(), ErrorKind::Config);
    let error = client.query("SELECT 1").database("\n").table().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[test]
fn a_name_with_a_retention_policy_is_a_database_of_its_own_on_both_endpoints() {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db/month").build().unwrap();
    client.write(point()).send().unwrap();
    client.write(point().tag("t", "v3")).use_v2_api(false).send().unwrap();
    assert_eq!((server.rows("db/month", "m"), server.rows("db", "m")), (2, 0));
    assert_eq!(client.query("SELECT * FROM m").table().unwrap().num_rows(), 2);
    let error = client.query("SELECT * FROM m").database("db").table().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
