//! Arrow's Flight server in C++: what it sends is what it says, whatever the type; its errors keep their kind and their
//! words.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use influxdb3_blocking::arrow_array::RecordBatch;
use influxdb3_blocking::arrow_array::cast::AsArray;
use influxdb3_blocking::arrow_array::types::Int64Type;
use influxdb3_blocking::{Client, ClientBuilder, Error, ErrorKind, Table};
use serde_json::json;

use crate::support::tls::Authority;
use crate::third_party::{Folder, PYARROW, Running, script};

struct Server {
    _running: Running,
    port: u16,
}

impl Server {
    fn start() -> Option<Self> {
        Self::start_with(json!({}))
    }

    fn start_with(options: serde_json::Value) -> Option<Self> {
        let folder = Folder::new("flight");
        let mut command = script(PYARROW.find()?, "flight_server.py");
        command.arg(options.to_string()).stdout(Stdio::piped()).stderr(folder.log());
        let mut running = Running::start(command, folder);
        let port = running.first_line().parse().unwrap();
        Some(Self { _running: running, port })
    }

    fn builder(&self) -> ClientBuilder {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        Client::builder().host(format!("http://{address}")).database("db")
    }

    fn client(&self) -> Client {
        self.builder().build().unwrap()
    }
}

fn all(client: &Client, query: &str) -> RecordBatch {
    client.query(query).table().unwrap().concat().unwrap()
}

/// The case as pyarrow writes it and arrow-ipc reads it.
fn from_file(client: &Client, case: &str) -> RecordBatch {
    let answer = all(client, &format!("as file {case}"));
    let file = answer.column(0).as_binary::<i32>().value(0).to_vec();
    let reader = arrow_ipc::reader::StreamReader::try_new(file.as_slice(), None).unwrap();
    let schema = reader.schema();
    let batches: Vec<_> = reader.map(|batch| batch.unwrap()).collect();
    Table::from_batches(schema, batches).unwrap().concat().unwrap()
}

#[test]
fn every_type_is_what_it_is_in_a_file_of_the_same_library() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    let answer = all(&client, "types");
    assert_eq!((answer.num_rows(), answer.num_columns()), (5, 46));
    assert_eq!(answer, from_file(&client, "types"));
}

#[test]
fn values_are_read_as_the_types_of_rust() {
    let Some(server) = Server::start() else { return };
    let table = server.client().query("types").table().unwrap();
    let [first, second, third] = [0, 1, 2].map(|n| table.row(n).unwrap());
    assert_eq!(first.get::<&str>("dictionary").unwrap(), "Living Room");
    assert_eq!(third.get::<&str>("dictionary").unwrap(), "Küche");
    assert_eq!(second.get::<Option<&str>>("dictionary").unwrap(), None);
    assert_eq!(second.get::<&str>("string_view").unwrap(), "short");
    assert_eq!(first.get::<i64>("int64").unwrap(), i64::MIN);
    assert_eq!(third.get::<u64>("uint64").unwrap(), u64::MAX);
    assert_eq!(first.get::<&str>("runs").unwrap(), "a");
    assert!(third.get::<f64>("double").unwrap().is_nan());
    // 2024-02-29T23:59:59.123456Z
    for (unit, nanos) in [("s", 0), ("ms", 123_000_000), ("us", 123_456_000), ("ns", 123_456_000)] {
        let time: influxdb3_blocking::Timestamp =
            first.get(&format!("timestamp_{unit}_UTC")).unwrap();
        assert_eq!(time.as_nanos(), 1_709_251_199_000_000_000 + nanos, "{unit}");
    }
}

#[test]
fn compressed_bodies_are_the_same_rows() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    let plain = all(&client, "types");
    for codec in ["lz4", "zstd"] {
        assert_eq!(all(&client, &format!("compressed {codec}")), plain, "{codec}");
    }
}

#[test]
fn answers_without_rows_or_columns_keep_their_schema() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    let table = client.query("no rows").table().unwrap();
    assert_eq!(table.num_rows(), 0);
    assert_eq!(table.schema(), from_file(&client, "types").schema());
    assert_eq!(client.query("types").schema().unwrap(), table.schema());
    assert_eq!(client.query("no columns").table().unwrap().num_columns(), 0);
}

#[test]
fn batches_come_one_by_one_with_their_metadata() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    let chunks: Vec<_> =
        client.query("batches").chunks().unwrap().map(|chunk| chunk.unwrap()).collect();
    let seen: Vec<_> =
        chunks.iter().map(|chunk| (chunk.data.num_rows(), &chunk.app_metadata[..])).collect();
    assert_eq!(seen, [(3, &b"first"[..]), (0, b"between"), (4, b"second")]);
}

#[test]
fn a_million_rows_stream_and_one_message_of_many_megabytes_arrives() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    let (mut rows, mut next) = (0, 0);
    for batch in client.query("numbers 1000000").reader().unwrap() {
        let batch = batch.unwrap();
        for value in batch.column(0).as_primitive::<Int64Type>().values() {
            assert_eq!(*value, next);
            next += 1;
        }
        rows += batch.num_rows();
    }
    // Whole batches of 8192 rows.
    assert_eq!(rows, 1_007_616);
    // More than the four megabytes that gRPC takes unless it is told.
    let one = client.query("one batch of 1000000").table().unwrap();
    assert_eq!((one.batches().len(), one.num_rows()), (1, 1_000_000));
    assert!(one.batches()[0].get_array_memory_size() > 16 << 20);
}

#[test]
fn a_reader_that_is_dropped_ends_the_stream_at_the_server() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    let mut reader = client.query("endless").reader().unwrap();
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 10_000);
    drop(reader);
    let table = client.query("wait for the end").table().unwrap();
    assert!(table.row(0).unwrap().get::<bool>("ended").unwrap());
}

fn error_of(client: &Client, query: &str) -> Error {
    client.query(query).table().unwrap_err()
}

#[test]
fn every_error_has_its_kind_and_the_words_of_the_server() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    for (name, kind) in [
        ("unavailable", ErrorKind::Server),
        ("unauthenticated", ErrorKind::Unauthorized),
        ("unauthorized", ErrorKind::Unauthorized),
        ("timed out", ErrorKind::Timeout),
        ("cancelled", ErrorKind::Cancelled),
        ("internal", ErrorKind::Server),
        ("server", ErrorKind::Server),
        ("key", ErrorKind::NotFound),
        ("value", ErrorKind::Query),
        ("type", ErrorKind::Server),
        ("not implemented", ErrorKind::Query),
    ] {
        for query in [format!("error {name}"), format!("error between rows {name}")] {
            let error = error_of(&client, &query);
            assert_eq!(error.kind(), kind, "{query}: {error}");
            assert!(error.to_string().contains("the words of the server"), "{query}: {error}");
        }
    }
}

#[test]
fn rows_before_an_error_are_there_and_then_the_error() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    let mut reader = client.query("error between rows value").reader().unwrap();
    for _ in 0..2 {
        assert_eq!(reader.next().unwrap().unwrap().num_rows(), 10);
    }
    let error = reader.next().unwrap().unwrap_err().to_string();
    assert!(error.contains("the words of the server"), "{error}");
    assert!(reader.next().is_none());
}

#[test]
fn tokens_and_certificates_are_shown_to_it() {
    let authority = Authority::new();
    let own = authority.sign("localhost", false);
    let users = Authority::new();
    let user = users.sign("user", false);
    let Some(server) = Server::start_with(json!({
        "certificate": own.certificate,
        "key": own.key,
        "client_authority": users.pem(),
        "token": "secret",
    })) else {
        return;
    };
    let builder = Client::builder()
        .host(format!("https://localhost:{}", server.port))
        .database("db")
        .tls_root_certs(authority.pem());
    let known = builder.clone().client_cert(user.certificate, user.key);
    let client = known.clone().token("secret").build().unwrap();
    assert_eq!(
        client.query("types").timeout(Duration::from_secs(60)).table().unwrap().num_rows(),
        5
    );
    let error = error_of(&known.token("wrong").build().unwrap(), "types");
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    let error = error_of(&builder.token("secret").build().unwrap(), "types");
    assert!(matches!(error.kind(), ErrorKind::Tls | ErrorKind::Connect), "{error}");
}
