//! Answers that tell of the server's state, not of the request: Core 3.6 to 3.10 gives them the status of a bad request
//! on one endpoint and that of a passing failure on the other, whichever they are.

use std::time::{Duration, SystemTime};

use crate::support::http::{Reply, Server};
use influxdb3_blocking::{Client, Error, ErrorKind, Point, Timestamp};

/// What a write gets that is answered like this.
fn answered(is_v2: bool, reply: Reply) -> Error {
    let server = Server::start(move |_, _| reply.clone());
    let client = Client::builder().host(server.url()).database("db").use_v2_api(is_v2);
    let point = Point::new("m").field("f", 1).time(Timestamp::nanos(1));
    let error = client.build().unwrap().write(point).send().unwrap_err();
    assert_eq!(server.requests().len(), 1, "a synchronous write is tried once");
    assert_eq!(error.unsent().len(), 1, "{error}");
    error
}

/// The body of a failure on `/api/v2/write`.
fn v2_body(code: &str, message: &str) -> String {
    serde_json::json!({"code": code, "message": message}).to_string()
}

const NOW: &str = "cannot take writes now";
const LOG: &str = "failed to log the write";
const ROLE: &str = "this node takes no writes";

/// Failures of the write buffer as the server words them, and what they are: what the text says, whether the same write
/// may succeed later, whether the lines may be stored.
const STATES: [(&str, &str, bool, bool); 10] = [
    ("error from wal: wal is shutdown and not accepting writes", NOW, true, false),
    ("error from wal: wal buffer full with 100000 ops", NOW, true, false),
    (
        "error from wal: error writing wal file: Generic S3 error: error sending request",
        LOG,
        true,
        true,
    ),
    ("error from wal: error writing wal file: oneshot channel closed", LOG, true, true),
    (
        "error from wal: error writing wal file: another process has written to the WAL ahead of this one",
        LOG,
        true,
        true,
    ),
    ("error from wal: object store error: Generic S3 error: timed out", NOW, true, false),
    (
        "error from persister: object_store error: Generic LocalFileSystem error: No space left on device (os error 28)",
        NOW,
        true,
        false,
    ),
    ("catalog update error: object store error: ObjectStore(Generic { .. })", NOW, true, false),
    ("cannot write to a compactor-only server", ROLE, false, false),
    ("cannot write to a read-only server", ROLE, false, false),
];

fn check(error: &Error, what: &str, is_retryable: bool, in_doubt: bool, case: &str) {
    let kind = if is_retryable { ErrorKind::Server } else { ErrorKind::Rejected };
    assert_eq!(error.kind(), kind, "{case}: {error}");
    assert_eq!((error.is_retryable(), error.in_doubt()), (is_retryable, in_doubt), "{case}");
    assert!(error.to_string().contains(what), "{what:?} is missing: {error}");
}

#[test]
fn a_failure_of_the_write_buffer_is_the_same_on_both_endpoints_whatever_its_status() {
    for (message, what, is_retryable, in_doubt) in STATES {
        let message = format!("write buffer error: {message}");
        // 400 and 500 up to 3.10, 503 since.
        for status in [400, 500, 503] {
            for (is_v2, body) in [
                (true, v2_body("invalid", &message)),
                (true, v2_body("internal error", &message)),
                (false, message.clone()),
                (false, serde_json::json!({ "error": message }).to_string()),
            ] {
                let error = answered(is_v2, Reply::text(status, &body));
                check(&error, what, is_retryable, in_doubt, &format!("{status} {body}"));
                assert_eq!(error.status(), Some(status));
                assert!(error.to_string().contains(&message), "{error}");
            }
        }
    }
}

#[test]
fn what_else_the_server_says_of_itself_is_no_fault_of_the_request() {
    for (is_v2, status, body) in [
        // The catalog is not part of the write buffer on v3.
        (false, 500, "object store error: ObjectStore(Generic { .. })".to_owned()),
        (true, 400, v2_body("invalid", "this service is overloaded, please try again later")),
        (false, 500, "this service is overloaded, please try again later".to_owned()),
        // Before 3.10, when the service that knows the tokens cannot be asked.
        (
            true,
            403,
            r#"{"error":"token verification not possible: connection refused"}"#.to_owned(),
        ),
    ] {
        let error = answered(is_v2, Reply::text(status, &body));
        check(&error, NOW, true, false, &format!("{status} {body}"));
    }
}

#[test]
fn a_role_that_takes_no_writes_says_what_to_do() {
    let body = v2_body("invalid", "write buffer error: cannot write to a compactor-only server");
    let error = answered(true, Reply::text(400, &body));
    assert!(error.to_string().contains("set one that does with .write_host("), "{error}");
}

/// The texts above are looked for at the beginning: what users write may come back in an answer.
#[test]
fn text_of_the_users_own_does_not_make_a_refusal_pass() {
    for message in [
        "write buffer error: parsing for line protocol failed",
        "write buffer error: incoming write was empty",
        "db name contains an invalid character: 'error from wal: wal is shutdown'",
        "line protocol parsing error: m,t=wal\\ is\\ shutdown object store error",
    ] {
        for (is_v2, body) in [(true, v2_body("invalid", message)), (false, message.to_owned())] {
            let error = answered(is_v2, Reply::text(400, &body));
            assert_eq!(error.kind(), ErrorKind::Rejected, "{body}");
            assert!(!error.is_retryable() && !error.in_doubt(), "{body}");
        }
    }
    // Nor does a status that is about the size, the address or the rate.
    let message = "write buffer error: error from wal: wal is shutdown and not accepting writes";
    for (status, kind) in [
        (404, ErrorKind::NotFound),
        (413, ErrorKind::TooLarge),
        (401, ErrorKind::Unauthorized),
        (429, ErrorKind::RateLimited),
    ] {
        assert_eq!(answered(true, Reply::text(status, message)).kind(), kind, "{status}");
    }
}

#[test]
fn points_that_are_too_old_and_buckets_that_are_unknown_are_named_as_such() {
    let old = "dml handler error: data in table Test is outside of the retention period: minimum acceptable timestamp is 2023-07-30T11:05:48Z, but observed timestamp 2022-04-04T05:40:41Z is older.";
    let error = answered(true, Reply::text(403, &v2_body("forbidden", old)));
    assert_eq!(error.kind(), ErrorKind::Rejected, "{error}");
    assert!(error.to_string().contains(old) && !error.to_string().contains("token"), "{error}");
    let error = answered(true, Reply::text(404, &v2_body("not found", "bucket \"d\" not found")));
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(error.to_string().contains("check the database's name"), "{error}");
}

#[test]
fn a_date_to_wait_for_is_measured_against_the_clock_of_the_server_that_set_it() {
    let asked = |retry_after: &str, date: Option<&str>| {
        let mut headers = vec![("retry-after", retry_after.to_owned())];
        headers.extend(date.map(|date| ("date", date.to_owned())));
        answered(true, Reply::Answer(503, headers, Vec::new())).retry_after()
    };
    const SECONDS: fn(u64) -> Option<Duration> = |seconds| Some(Duration::from_secs(seconds));
    // Clocks that are years slow and years fast.
    for (date, until) in [
        ("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:30 GMT"),
        ("Fri, 31 Dec 2100 23:59:45 GMT", "Sat, 01 Jan 2101 00:00:15 GMT"),
    ] {
        assert_eq!(asked(until, Some(date)), SECONDS(30), "{date}");
        assert_eq!(asked(date, Some(until)), SECONDS(0), "a date that has passed");
        assert_eq!(asked("7", Some(date)), SECONDS(7), "seconds are seconds");
    }
    // Without a date, or with none that can be read, there is the local clock.
    let until = "Fri, 31 Dec 2100 23:59:59 GMT";
    let local = Duration::from_secs(4_133_980_799)
        - SystemTime::UNIX_EPOCH.elapsed().expect("this is after 1970");
    for date in [None, Some("today"), Some("")] {
        let asked = asked(until, date).unwrap();
        assert!(asked <= local && asked > local - Duration::from_secs(3600), "{asked:?}");
    }
}
