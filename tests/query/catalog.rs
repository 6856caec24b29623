//! The tables of a database, and their columns.
#![cfg(feature = "query")]

use influxdb3_blocking::arrow_schema::{DataType, TimeUnit};
use influxdb3_blocking::{Client, ColumnKind, ErrorKind};
use influxdb3_dev_server::DevServer;

/// Names that would end a text or an identifier of SQL, or mean a schema.
const NAMES: [&str; 7] =
    ["Home", "a\"b", "a'b", "home", "iox.home", "x; DROP TABLE home --", "温度 \\ $table"];

fn server() -> (DevServer, Client) {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    for name in NAMES {
        let point = influxdb3_blocking::Point::new(name)
            .tag("room", "Kitchen")
            .field("f", 1.5)
            .field("i", 1)
            .field("u", 1_u64)
            .field("b", true)
            .field("s", "x");
        client.write(point).send().unwrap();
    }
    client.write("other f=1").database("elsewhere").send().unwrap();
    (server, client)
}

#[test]
fn tables_are_those_of_the_database_without_those_of_the_server() {
    let (_server, client) = server();
    assert_eq!(client.tables().unwrap(), NAMES);
}

#[test]
fn columns_have_their_kinds_and_types_whatever_the_table_is_called() {
    let (_server, client) = server();
    let text = || Box::new(DataType::Utf8);
    let expected = [
        ("b", ColumnKind::Field, DataType::Boolean),
        ("f", ColumnKind::Field, DataType::Float64),
        ("i", ColumnKind::Field, DataType::Int64),
        ("room", ColumnKind::Tag, DataType::Dictionary(Box::new(DataType::Int32), text())),
        ("s", ColumnKind::Field, DataType::Utf8),
        ("time", ColumnKind::Time, DataType::Timestamp(TimeUnit::Nanosecond, None)),
        ("u", ColumnKind::Field, DataType::UInt64),
    ];
    for name in NAMES {
        let columns = client.columns(name).unwrap();
        let columns =
            columns.into_iter().map(|column| (column.name, column.kind, column.data_type));
        let expected = expected.clone().map(|(name, kind, of)| (name.to_owned(), kind, of));
        assert_eq!(columns.collect::<Vec<_>>(), expected, "{name}");
    }
}

#[test]
fn a_table_that_is_not_there_is_named() {
    let (_server, client) = server();
    for name in ["HOME", "other", "tables", "", "home\" UNION SELECT"] {
        let error = client.columns(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains(&format!("no table {name:?}")), "{error}");
    }
    client.close().unwrap();
    assert_eq!(client.tables().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(client.columns("home").unwrap_err().kind(), ErrorKind::Closed);
}
