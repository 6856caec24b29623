//! Queries over HTTP/1.1, whose answers are files of Parquet.
#![cfg(all(feature = "parquet", feature = "query"))]

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::support::http::{Gate, Reply, Server};
use influxdb3_blocking::arrow_array::{ArrayRef, RecordBatch, StringArray};
use influxdb3_blocking::{
    Client, ColumnKind, Error, ErrorKind, Language, QueryRequest, Row, Table, Timestamp,
};
use influxdb3_dev_server::DevServer;

fn dev_server() -> (DevServer, Client) {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    let lines: String = (0..9_000)
        .map(|n| format!("m,room=r{} f={}.5,i={n}i,u={n}u,b=true,s=\"ü{n}\" {n}\n", n % 7, n % 100))
        .collect();
    client.write(lines).send().unwrap();
    client.write("sparse f=1 1\nsparse g=\"x\" 2").send().unwrap();
    (server, client)
}

/// The rows as text: the types in which a value comes may differ (tags are dictionaries in Parquet).
fn shown<'a>(rows: impl Iterator<Item = Row<'a>>) -> Vec<String> {
    rows.map(|row| format!("{row:?}")).collect()
}

/// A file of Parquet with so many rows.
fn file(rows: usize) -> Vec<u8> {
    let names: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows).map(|n| n.to_string())));
    let batch = RecordBatch::try_from_iter([("name", names)]).unwrap();
    let mut file = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file
}

fn answered(body: Vec<u8>) -> Reply {
    let content_type = ("content-type", "application/vnd.apache.parquet".to_owned());
    Reply::Answer(200, vec![content_type], body)
}

/// A client of a server that gives these replies.
fn scripted(replies: Vec<Reply>) -> (Server, Client) {
    let server = Server::start(move |number, _| replies[number.min(replies.len() - 1)].clone());
    let client = Client::builder().host(server.url()).database("db").token("secret");
    let client = client.build().unwrap();
    (server, client)
}

fn ask(client: &Client) -> QueryRequest<'_> {
    client.query("SELECT * FROM m").over_http(true)
}

#[test]
fn an_answer_is_the_same_over_http_and_over_flight_in_every_form() {
    let (_server, client) = dev_server();
    for sql in [
        "SELECT * FROM m ORDER BY time",
        "SELECT * FROM sparse ORDER BY time",
        "SELECT 1 AS one, 'x' AS s, NULL AS n, now() > TIMESTAMP '2020-01-01' AS later",
        "SELECT room, count(*) AS n, avg(f) AS mean, max(time) AS last FROM m GROUP BY room ORDER BY room",
        "SELECT arrow_cast(1.5, 'Decimal128(10, 3)') AS d, DATE '2022-01-01' AS day, TIME '08:00:01' AS t, \
         arrow_cast(1500, 'Duration(Millisecond)') AS l, arrow_cast(7, 'UInt8') AS u, arrow_cast('x', 'Binary') AS b, \
         named_struct('a', 1, 'b', 'x') AS st",
        "SELECT array_agg(i ORDER BY time) AS l, max(time) AT TIME ZONE 'Europe/Berlin' AS z FROM m WHERE i < 5",
    ] {
        let flight = client.query(sql).table().unwrap();
        let table = client.query(sql).over_http(true).table().unwrap();
        assert_eq!(shown(table.rows()), shown(flight.rows()), "{sql}");
        let schema = client.query(sql).over_http(true).schema().unwrap();
        assert_eq!(schema, table.schema());
        let names = |table: &Table| -> Vec<String> {
            table.schema().fields().iter().map(|field| field.name().clone()).collect()
        };
        assert_eq!(names(&table), names(&flight));
        // What a column is, the server says in the same place.
        let kinds = |table: &Table| -> Vec<Option<ColumnKind>> {
            table.schema().fields().iter().map(|field| ColumnKind::of(field)).collect()
        };
        assert_eq!(kinds(&table), kinds(&flight), "{sql}");
        let batches: Vec<RecordBatch> =
            client.query(sql).over_http(true).reader().unwrap().map(Result::unwrap).collect();
        assert_eq!(batches, table.batches());
        let chunks = client.query(sql).over_http(true).chunks().unwrap();
        let chunks: Vec<RecordBatch> = chunks.map(|chunk| chunk.unwrap().data).collect();
        assert_eq!(chunks, table.batches());
    }
}

#[cfg(feature = "serde")]
#[test]
fn rows_are_read_by_serde_and_know_their_progress() {
    #[derive(serde::Deserialize)]
    struct M {
        room: String,
        i: u64,
        time: Timestamp,
    }
    let (_server, client) = dev_server();
    let mut rows =
        client.query("SELECT * FROM m ORDER BY time").over_http(true).rows::<M>().unwrap();
    let found: Vec<M> = rows.by_ref().map(Result::unwrap).collect();
    assert_eq!(found.len(), 9_000);
    let last = &found[8_999];
    assert_eq!((last.i, last.time, last.room.as_str()), (8_999, Timestamp::nanos(8_999), "r4"));
    assert_eq!((rows.progress().rows, rows.stats().is_some()), (9_000, true));
}

#[cfg(feature = "polars")]
#[test]
fn a_data_frame_is_the_same() {
    let (_server, client) = dev_server();
    let sql = "SELECT i, f, s, time FROM m ORDER BY time";
    let flight = client.query(sql).dataframe().unwrap();
    assert!(client.query(sql).over_http(true).dataframe().unwrap().equals_missing(&flight));
}

#[test]
fn parameters_and_influxql_go_over_http_as_well() {
    let (_server, client) = dev_server();
    let table = client
        .query("SELECT i FROM m WHERE room = $room AND i < $most AND b = $b ORDER BY i")
        .params([("most", 20)])
        .param("room", "r3")
        .param("b", true)
        .over_http(true)
        .table()
        .unwrap();
    let found: Vec<i64> = table.values("i").unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(found, [3, 10, 17]);
    let names = client.query("SHOW MEASUREMENTS").language(Language::InfluxQl).over_http(true);
    let names = names.table().unwrap();
    assert_eq!(
        names.values::<&str>("name").unwrap().map(Result::unwrap).collect::<Vec<_>>(),
        ["m", "sparse"]
    );
}

#[test]
fn an_answer_without_rows_has_no_columns() {
    let (_server, client) = dev_server();
    let table = client.query("SELECT * FROM m WHERE false").over_http(true).table().unwrap();
    assert_eq!((table.num_rows(), table.num_columns()), (0, 0));
    let reader = client.query("SELECT * FROM m WHERE false").over_http(true).reader().unwrap();
    assert_eq!(reader.count(), 0);
}

#[test]
fn a_mistake_is_the_same_error_as_over_flight() {
    let (_server, client) = dev_server();
    let other = |request: QueryRequest<'_>| request.database("nowhere").table().unwrap_err();
    let pairs = [
        (client.query("SELECT * FROM nothing"), ErrorKind::NotFound),
        (client.query("SELEC 1"), ErrorKind::Query),
        (client.query("SELECT nope FROM m"), ErrorKind::Query),
        (client.query("SELECT 1 / 0"), ErrorKind::Query),
        (client.query("DROP TABLE m"), ErrorKind::Query),
        (client.query("SELECT i FROM m WHERE room = $room"), ErrorKind::Query),
    ];
    for (request, kind) in pairs {
        let text = format!("{request:?}");
        let error = request.over_http(true).table().unwrap_err();
        assert_eq!(error.kind(), kind, "{text}: {error}");
        assert_eq!((error.status(), error.is_retryable()), (Some(500), false), "{text}: {error}");
    }
    let (flight, http) =
        (other(client.query("SELECT 1")), other(client.query("SELECT 1").over_http(true)));
    assert_eq!((flight.kind(), http.kind()), (ErrorKind::NotFound, ErrorKind::NotFound));
    assert!(http.to_string().contains("\"nowhere\""), "{http}");
}

#[test]
fn tokens_are_sent_as_writes_send_them_and_refused_as_such() {
    let server = DevServer::builder().token("secret").start().unwrap();
    let builder = || Client::builder().host(server.url()).database("db");
    let with = |token: &str| builder().token(token).build().unwrap();
    with("secret").write("m f=1 1").send().unwrap();
    assert_eq!(ask(&with("secret")).table().unwrap().num_rows(), 1);
    let error = ask(&with("wrong")).table().unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthorized, Some(401)));
    assert!(!format!("{error:?}{error:#}").contains("wrong"), "{error:?}");
    let error = ask(&builder().build().unwrap()).table().unwrap_err();
    assert!(error.to_string().contains("the server wants a token"), "{error}");
}

#[test]
fn a_request_is_what_the_server_expects() {
    let (server, client) = scripted(vec![answered(file(1))]);
    let query = client.query("SELECT \"x\"\n").param("p", 1.5).header("x-trace", "7");
    assert_eq!(query.over_http(true).table().unwrap().num_rows(), 1);
    let influxql = client.query("SHOW MEASUREMENTS").language(Language::InfluxQl).over_http(true);
    influxql.database("other").table().unwrap();
    let requests = server.requests();
    assert_eq!(
        (requests[0].method.as_str(), requests[0].path.as_str()),
        ("POST", "/api/v3/query_sql")
    );
    assert_eq!(
        requests[0].text(),
        r#"{"db":"db","q":"SELECT \"x\"\n","format":"parquet","params":{"p":1.5}}"#
    );
    for (name, value) in [
        ("authorization", "Token secret"),
        ("accept", "application/vnd.apache.parquet"),
        ("content-type", "application/json"),
        ("x-trace", "7"),
    ] {
        assert_eq!(requests[0].header(name), Some(value), "{name}");
    }
    assert_eq!(requests[1].path, "/api/v3/query_influxql");
    assert_eq!(requests[1].text(), r#"{"db":"other","q":"SHOW MEASUREMENTS","format":"parquet"}"#);
    // The connection is kept.
    assert_eq!((requests[0].connection, requests[1].connection), (0, 0));
}

/// As servers do that keep connections for a while only.
#[test]
fn a_kept_connection_that_ends_without_a_word_costs_no_query() {
    let file = file(3);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", file.len());
    let reply = Reply::Raw([head.as_bytes(), &file].concat());
    let (server, client) = scripted(vec![reply]);
    for _ in 0..20 {
        assert_eq!(ask(&client).table().unwrap().num_rows(), 3);
    }
    assert!(server.requests().iter().all(|request| request.path == "/api/v3/query_sql"));
}

#[test]
fn what_is_no_answer_says_what_it_is() {
    let page = || {
        let html = ("content-type", "text/html".to_owned());
        Reply::Answer(200, vec![html], b"<html>log in</html>".to_vec())
    };
    let location = || ("location", "https://login.example.com/".to_owned());
    let whole = file(100);
    let cut = || {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", whole.len());
        Reply::Raw([head.as_bytes(), &whole[..whole.len() / 2]].concat())
    };
    let text = |status, text: &str| Reply::text(status, text);
    for (reply, kind, words) in [
        (page(), ErrorKind::Server, "not with Parquet"),
        (Reply::Answer(302, vec![location()], vec![]), ErrorKind::Redirect, "login.example.com"),
        (text(404, "not found"), ErrorKind::NotFound, "is it InfluxDB 3?"),
        (text(500, "something else"), ErrorKind::Server, "something else"),
        (text(503, "busy"), ErrorKind::Server, "503"),
        (text(429, ""), ErrorKind::RateLimited, "too many requests"),
        (text(407, ""), ErrorKind::Proxy, "credentials"),
        (
            text(500, "query error: Query would exceed file limit of 432 parquet files"),
            ErrorKind::Query,
            "--query-file-limit",
        ),
        // Release 3.10.
        (
            text(400, "Error during planning: table 'public.iox.m' not found"),
            ErrorKind::NotFound,
            "no such table",
        ),
        (text(405, "This feature is not implemented: DataFusion"), ErrorKind::Query, "refused"),
        (answered(b"PAR1 and no more".to_vec()), ErrorKind::Decode, "cannot be decoded"),
        (answered(whole[..whole.len() - 9].to_vec()), ErrorKind::Decode, "cannot be decoded"),
        (cut(), ErrorKind::Connect, "in the middle of the answer"),
        (Reply::Close, ErrorKind::Connect, "waiting for the server to answer"),
        (Reply::Raw(b"SSH-2.0-OpenSSH\r\n".to_vec()), ErrorKind::Connect, "broke"),
    ] {
        let (_server, client) = scripted(vec![reply.clone()]);
        let error = ask(&client).table().unwrap_err();
        assert_eq!(error.kind(), kind, "{reply:?}: {error:#}");
        assert!(error.to_string().contains(words), "{reply:?}: {error:#}");
        assert!(!format!("{error:?}{error:#}").contains("secret"), "{error:?}");
    }
}

#[test]
fn an_error_whose_text_drips_without_end_is_told_all_the_same() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        let head = "HTTP/1.1 500 Error\r\ncontent-length: 1000000\r\n\r\nwhy: ";
        stream.write_all(head.as_bytes()).unwrap();
        while stream.write_all(b".").is_ok() {
            thread::sleep(Duration::from_millis(50)); // The dripping is what is tested.
        }
    });
    let client = Client::builder().host(host).database("db").build().unwrap();
    let error = ask(&client).timeout(Duration::from_secs(30)).table().unwrap_err();
    assert_eq!(error.status(), Some(500), "{error}");
    assert!(error.to_string().contains("why: ."), "{error}");
    drop(client);
    serving.join().unwrap();
}

#[test]
fn nobody_there_is_said_as_over_flight() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::builder().host(host).database("db").build().unwrap();
    let (flight, http) = (client.query("SELECT 1").table(), ask(&client).table());
    let (flight, http) = (flight.unwrap_err(), http.unwrap_err());
    assert_eq!((flight.kind(), flight.to_string()), (http.kind(), http.to_string()));
    assert_eq!(http.kind(), ErrorKind::Connect);
}

/// Files that are damaged anywhere are errors or other values, and never a panic.
#[test]
fn damaged_files_never_panic() {
    const ROUNDS: usize = 500;
    let whole = file(300);
    let server = Server::start(move |round, _| {
        let mut random = crate::random::Random::new(round as u64 + 1);
        let mut damaged = whole.clone();
        for _ in 0..=random.below(3) {
            let place = random.below(damaged.len());
            damaged[place] ^= 1 << random.below(8);
        }
        answered(damaged)
    });
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    let (mut good, mut bad) = (0, 0);
    for _ in 0..ROUNDS {
        match ask(&client).table() {
            Ok(table) => {
                assert!(table.rows().take(400).all(|row| !format!("{row:?}").is_empty()));
                good += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Decode, "{error:#}");
                bad += 1;
            }
        }
    }
    assert!(good > 10 && bad > 10, "the damage is too small or too great: {good} {bad}");
}

#[test]
fn limits_and_time_are_kept() {
    let (_server, client) = scripted(vec![answered(file(10_000))]);
    let error = ask(&client).max_bytes(1_000).table().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let mut reader = ask(&client).max_rows(9_000).reader().unwrap();
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 8192);
    let error = Error::from(reader.next().unwrap().unwrap_err());
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(reader.next().is_none());
    let (_server, client) = scripted(vec![Reply::Stall]);
    for ends in [
        |query: QueryRequest<'_>| query.table().unwrap_err(),
        |query: QueryRequest<'_>| query.reader().unwrap_err(),
    ] {
        // However slow this machine is: with one of these limits there is a connection.
        let limits = [50, 200, 1_000, 5_000, 30_000].map(Duration::from_millis);
        assert!(limits.iter().any(|limit| {
            let error = ends(ask(&client).timeout(*limit));
            assert_eq!(error.kind(), ErrorKind::Timeout);
            error.to_string().contains("waiting for the server to answer")
        }));
    }
}

#[test]
fn bytes_of_a_try_that_failed_do_not_count() {
    let whole = file(10_000);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", whole.len());
    let half = Reply::Raw([head.as_bytes(), &whole[..whole.len() / 2]].concat());
    let (_server, client) = scripted(vec![half, answered(whole.clone())]);
    let bytes = whole.len() as u64;
    let reader = ask(&client).retries(1).max_bytes(bytes).reader().unwrap();
    assert_eq!(reader.progress().bytes_received, bytes);
}

#[test]
fn a_query_is_cancelled_while_it_is_waited_for() {
    let gate = Gate::default();
    let (server, client) = scripted(vec![Reply::After(gate.clone(), Box::new(answered(file(1))))]);
    let query = ask(&client);
    let cancel = query.cancel_handle();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| query.table());
        server.wait_for(1);
        cancel.cancel();
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    });
    gate.open();
    // Cancelled before it is sent, and while it is read.
    let query = ask(&client);
    query.cancel_handle().cancel();
    assert_eq!(query.table().unwrap_err().kind(), ErrorKind::Cancelled);
    let mut reader = ask(&client).reader().unwrap();
    reader.cancel_handle().cancel();
    let error = Error::from(reader.next().unwrap().unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn a_query_is_tried_again_only_when_that_is_asked_for() {
    let busy = || {
        let wait = ("retry-after", "0".to_owned());
        Reply::Answer(503, vec![wait], vec![])
    };
    let (server, client) = scripted(vec![busy(), busy(), answered(file(3))]);
    assert_eq!(ask(&client).table().unwrap_err().status(), Some(503));
    assert_eq!(ask(&client).retries(1).table().unwrap().num_rows(), 3);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn progress_is_told_while_bytes_come_and_rows_are_read() {
    let (_server, client) = scripted(vec![answered(file(10_000))]);
    let (told, progress) = mpsc::channel();
    let query = ask(&client).progress(move |progress| told.send(*progress).unwrap());
    query.table().unwrap();
    let all: Vec<_> = progress.iter().collect();
    let last = all.last().unwrap();
    assert_eq!((last.rows, last.batches), (10_000, 2));
    assert_eq!(last.bytes_received, file(10_000).len() as u64);
    assert_eq!(all[0].rows, 0);
}

#[test]
fn a_closed_client_asks_nothing() {
    let (server, client) = scripted(vec![answered(file(1))]);
    client.close().unwrap();
    assert_eq!(ask(&client).table().unwrap_err().kind(), ErrorKind::Closed);
    assert!(server.requests().is_empty());
}

/// The server and its client agree on HTTP/2 for Flight; without that word it is HTTP/1.1.
#[cfg(feature = "tls")]
#[test]
fn https_is_the_same_setting_as_for_flight() {
    let authority = crate::support::tls::Authority::new();
    let leaf = authority.sign("127.0.0.1", false);
    let server = DevServer::builder().tls(leaf.certificate, leaf.key).start().unwrap();
    let builder = || Client::builder().host(server.url()).database("db");
    let client = builder().tls_root_certs(authority.pem()).build().unwrap();
    client.write("m f=1 1").send().unwrap();
    assert_eq!(ask(&client).table().unwrap().num_rows(), 1);
    assert_eq!(client.query("SELECT * FROM m").table().unwrap().num_rows(), 1);
    let stranger = builder().build().unwrap();
    let (flight, http) = (stranger.query("SELECT 1").table(), ask(&stranger).table());
    let (flight, http) = (flight.unwrap_err(), http.unwrap_err());
    assert_eq!((flight.kind(), flight.to_string()), (http.kind(), http.to_string()));
    assert_eq!(http.kind(), ErrorKind::Tls);
}
