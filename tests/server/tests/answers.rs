//! Answers that a test puts in the place of the server's own, and what is stored meanwhile.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use influxdb3_dev_server::{Answer, DevServer};

const V2: &str = "/api/v2/write?bucket=db&precision=ns";
const V3: &str = "/api/v3/write_lp?db=db&precision=ns";

/// The answer as it came; empty if the connection was closed without one.
fn post(server: &DevServer, path: &str, lines: &str) -> String {
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    let (host, length) = (server.addr(), lines.len());
    let head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    write!(stream, "{head}content-length: {length}\r\n\r\n{lines}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_next_writes_get_what_they_are_told_and_nothing_is_stored() {
    let server = DevServer::builder().token("secret").start().unwrap();
    server.answer_writes(2, Answer::status(503).header("retry-after", "3").body("busy"));
    server.answer_writes(1, Answer::closed());
    for path in [V2, V3] {
        let answer = post(&server, path, "m f=1 1");
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(
            answer.contains("retry-after: 3\r\n") && answer.ends_with("\r\n\r\nbusy"),
            "{answer}"
        );
    }
    assert_eq!(post(&server, V3, "m f=1 1"), "");
    assert_eq!(server.tables("db"), Vec::<String>::new());
    let own = post(&server, V3, "m f=1 1");
    assert!(own.starts_with("HTTP/1.1 401 "), "only so many are answered so: {own}");
}

#[test]
fn what_a_lost_answer_was_for_is_stored() {
    let server = DevServer::start().unwrap();
    server.answer_writes(1, Answer::lost());
    assert_eq!(post(&server, V2, "m f=1 1"), "");
    assert_eq!(server.lines("db", "m"), ["m f=1 1"]);
}

#[test]
fn others_than_writes_are_answered_as_ever() {
    let server = DevServer::start().unwrap();
    server.answer_writes(1, Answer::status(500));
    assert!(post(&server, "/ping", "").starts_with("HTTP/1.1 200 "));
    assert!(post(&server, V2, "m f=1 1").starts_with("HTTP/1.1 500 "));
}

#[test]
fn rows_are_lines_that_make_the_same_rows() {
    let server = DevServer::start().unwrap();
    let lines = [
        "a\\ b,k\\,1=v\\=1,z=ü F\\ 1=-0,b=true,i=-5i,s=\"q\\\"\\\\ \n\",u=18446744073709551615u -7",
        "a\\ b F\\ 1=0.1 3",
        "a\\ b,z=a i=1i 3",
    ];
    // The fields of one point in two writes, the first of them over again, and the latest first.
    let written =
        format!("{}\n{}\n{}\na\\ b i=3i 3\na\\ b F\\ 1=0.1 3", lines[2], lines[1], lines[0]);
    assert!(post(&server, V3, &written).starts_with("HTTP/1.1 204 "));
    let expected = [lines[0], "a\\ b F\\ 1=0.1,i=3i 3", lines[2]];
    assert_eq!(server.lines("db", "a b"), expected);
    assert!(post(&server, &V3.replace("db=db", "db=copy"), &expected.join("\n")).contains(" 204 "));
    assert_eq!(server.lines("copy", "a b"), expected);
    assert_eq!(server.lines("db", "none"), Vec::<String>::new());
}

#[cfg(not(feature = "query"))]
#[test]
fn queries_are_refused_by_a_server_without_them() {
    let server = DevServer::start().unwrap();
    let answer = post(&server, "/api/v3/query_sql", "{\"db\":\"db\",\"q\":\"SELECT 1\"}");
    assert!(
        answer.starts_with("HTTP/1.1 501 ") && answer.contains("its feature query"),
        "{answer}"
    );
}
