//! What whoever has started the server can have it do: hold back writes, be slow, let tokens expire.

mod support;

use std::{
    thread,
    time::{Duration, Instant},
};

use influxdb3_dev_server::{Answer, DevServer, Fault};
use support::{get, http, post, sql};
use tonic::Code;

const V2: &str = "/api/v2/write?bucket=db&precision=ns";

fn wait_until(mut done: impl FnMut() -> bool) {
    while !done() {
        thread::yield_now();
    }
}

#[test]
fn a_write_that_is_held_back_is_overtaken_and_stored_last() {
    let server = DevServer::start().unwrap();
    let held = server.hold_next_write();
    thread::scope(|scope| {
        let first = scope.spawn(|| post(&server, V2, "m f=1i 1"));
        wait_until(|| held.has_come());
        assert_eq!(post(&server, V2, "m f=2i 1").status, 204);
        assert_eq!(sum(&server), 2);
        assert!(!first.is_finished());
        held.release();
        assert_eq!(first.join().unwrap().status, 204);
    });
    assert_eq!(sum(&server), 1, "it was stored last, so it has won");
}

/// The sum of the only field of the only row.
fn sum(server: &DevServer) -> i64 {
    use datafusion::arrow::{array::AsArray, datatypes::Int64Type};
    let batches = sql(server, "db", "SELECT sum(f) FROM m").batches();
    batches[0].column(0).as_primitive::<Int64Type>().value(0)
}

#[test]
fn writes_are_held_back_in_their_order_and_those_behind_pass() {
    let server = DevServer::start().unwrap();
    let (first, second) = (server.hold_next_write(), server.hold_next_write());
    drop(first);
    thread::scope(|scope| {
        let write = scope.spawn(|| post(&server, V2, "m f=1i 1"));
        wait_until(|| second.has_come());
        assert_eq!(post(&server, V2, "m f=1i 2").status, 204);
        assert_eq!(server.rows("db", "m"), 1);
        drop(second);
        assert_eq!(write.join().unwrap().status, 204);
    });
    assert_eq!(server.rows("db", "m"), 2);
}

#[test]
fn a_slow_server_takes_its_time_for_each_write_and_for_nothing_else() {
    let wait = Duration::from_millis(50);
    let server = DevServer::builder().fault(Fault::Slow(wait)).start().unwrap();
    let start = Instant::now();
    assert_eq!(post(&server, V2, "m f=1i 1").status, 204);
    // The clock of the runtime's timers has a resolution of one millisecond.
    assert!(start.elapsed() >= wait - Duration::from_millis(1), "{:?}", start.elapsed());
    assert_eq!(server.rows("db", "m"), 1);
    server.set_fault(Fault::Slow(Duration::MAX));
    assert_eq!(http(&server, "GET", "/health", &[], b"").unwrap().status, 200);
    assert_eq!(sum(&server), 1);
    server.set_fault(None);
    assert_eq!(post(&server, V2, "m f=1i 2").status, 204);
}

#[test]
fn a_token_that_has_expired_is_told_apart_over_flight_alone() {
    let server = DevServer::builder().token("root").start().unwrap();
    let write = |token: &str| {
        let authorization = format!("Token {token}");
        http(&server, "POST", V2, &[("authorization", &authorization)], b"m f=1i 1").unwrap().status
    };
    let query = |token: &str| {
        let authorization = format!("Bearer {token}");
        let ticket = r#"{"database":"db","sql_query":"SELECT * FROM m"}"#;
        get(&server, ticket, &[("authorization", &authorization)]).code().0
    };
    let token = server.issue_token_for(Duration::MAX);
    assert_eq!((write(&token), query(&token)), (204, Code::Ok));
    assert_eq!((write("wrong"), query("wrong")), (401, Code::Unauthenticated));
    server.expire_tokens();
    assert_eq!((write(&token), query(&token)), (401, Code::PermissionDenied));
    assert_eq!((write("root"), query("root")), (204, Code::Ok), "it never expires");
    let next = server.issue_token_for(Duration::from_secs(3600));
    assert_eq!((write(&next), query(&next)), (204, Code::Ok));
    let short = server.issue_token_for(Duration::ZERO);
    assert_eq!((write(&short), query(&short)), (401, Code::PermissionDenied));
}

#[test]
fn the_first_token_that_is_issued_turns_authentication_on() {
    let server = DevServer::start().unwrap();
    assert_eq!(post(&server, V2, "m f=1i 1").status, 204);
    server.issue_token_for(Duration::MAX);
    assert_eq!(post(&server, V2, "m f=1i 1").status, 401);
}

#[test]
fn the_next_queries_get_what_they_are_told() {
    let server = DevServer::start().unwrap();
    assert_eq!(post(&server, V2, "m f=1i 1").status, 204);
    let ask = || get(&server, r#"{"database":"db","sql_query":"SELECT * FROM m"}"#, &[]);
    server.answer_queries(1, Answer::status(503).body("later"));
    server.answer_queries(1, Answer::status(429));
    server.answer_queries(1, Answer::closed());
    server.answer_queries(1, Answer::lost());
    assert_eq!(ask().code(), (Code::Unavailable, "later"));
    assert_eq!(ask().code(), (Code::ResourceExhausted, ""));
    for _ in 0..2 {
        let answer = ask();
        assert!(answer.code().0 != Code::Ok && answer.messages.is_empty());
    }
    assert_eq!(ask().code().0, Code::Ok);
}
