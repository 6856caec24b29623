//! What a server says is judged as it was said; then the token is hidden in it, and nothing else is.
#![cfg(feature = "query")]

use crate::support::flight::{FlightServer, Step};
use crate::support::frames::says_goodbye;
use crate::support::logged::{keep_lines, logged};
use crate::support::own_process::in_own_process;
use influxdb3_blocking::{Client, Error, ErrorKind};

fn error_of(token: &str, steps: Vec<Step>) -> Error {
    let server = FlightServer::replay(steps);
    let client = Client::builder().host(server.url()).token(token).database("db").build().unwrap();
    client.query("SELECT 1").table().unwrap_err()
}

#[test]
fn a_token_that_is_a_word_neither_changes_the_kind_of_an_error_nor_makes_its_text_unreadable() {
    const NO_DATABASE: &str = "Cannot retrieve database: External error: database not found: db";
    for token in ["t", "e", "database", "not", "found", "db"] {
        let error = error_of(token, vec![Step::StatusOnly(13, NO_DATABASE.into())]);
        assert_eq!(error.kind(), ErrorKind::NotFound, "{token}: {error}");
        assert!(error.to_string().contains(NO_DATABASE), "{token}: {error}");
        let error = error_of(token, vec![Step::StatusOnly(3, "table 'public.m' not found".into())]);
        assert_eq!(error.kind(), ErrorKind::NotFound, "{token}: {error}");
    }
}

#[test]
fn a_token_that_a_server_answers_with_is_in_no_text_and_no_header() {
    const TOKEN: &str = "apiv3_s3cret-s3cret-s3cret";
    let says = format!("I do not know Bearer {TOKEN}, token={TOKEN}&x=1 or \"{TOKEN}\"");
    let headers = vec![("x-echo", format!("Bearer {TOKEN}")), ("content-type", "text/html".into())];
    for steps in [
        vec![Step::StatusOnly(16, says.clone())],
        vec![Step::Head, Step::Status(13, says.clone(), headers.clone())],
        vec![Step::HttpHead(502, headers.clone()), Step::Raw(says.into()), Step::End],
        vec![
            Step::HttpHead(302, vec![("location", format!("https://login/?token={TOKEN}"))]),
            Step::End,
        ],
    ] {
        let error = error_of(TOKEN, steps);
        for shown in [format!("{error:#}"), format!("{error:?}")] {
            assert!(!shown.contains("s3cret") && shown.contains("***"), "{shown}");
        }
        let echo = error.header("x-echo").or_else(|| error.header("location"));
        assert!(!echo.is_some_and(|echo| echo.contains("s3cret")), "{echo:?}");
    }
}

/// As HTTP/2 lets a server say why it ends a connection: the libraries below show that in their errors.
#[test]
fn a_token_that_a_server_says_goodbye_with_is_in_no_cause_and_no_log() {
    in_own_process(
        "secrets::a_token_that_a_server_says_goodbye_with_is_in_no_cause_and_no_log",
        || {
            const TOKEN: &str = "apiv3_s3cret-s3cret-s3cret";
            keep_lines();
            let host = says_goodbye("I do not know Bearer apiv3_s3cret-s3cret-s3cret");
            let client = Client::builder().host(host).token(TOKEN).database("db").build().unwrap();
            let error = client.query("SELECT 1").table().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Connect);
            for shown in [format!("{error:#}"), format!("{error:?}")] {
                assert!(!shown.contains("s3cret"), "{shown}");
                assert!(shown.contains("I do not know Bearer ***"), "{shown}");
            }
            let lines = format!("{:?}", logged());
            assert!(lines.contains("trying once more") && !lines.contains("s3cret"), "{lines}");
        },
    );
}
