//! `influx3 query`, but for the forms of its answers.

use std::io::{BufRead as _, BufReader, Read as _};
use std::sync::Arc;

use tokio::sync::Notify;

use crate::run::{Folder, home_server, influx3, run, run_with, spawn, text};
use crate::support::batches::{messages, numbers};
use crate::support::flight::{FlightServer, Step, ok};

#[test]
fn the_text_is_an_argument_a_file_or_standard_input() {
    let server = home_server();
    let folder = Folder::new();
    let sql = "SELECT count(*) AS n FROM home;\n";
    let file = folder.file("q.sql", sql);
    let query = |arguments: &[&str]| {
        let arguments = [&["query", "--format", "csv"], arguments].concat();
        run_with(&mut influx3(&server.url(), arguments), sql.as_bytes()).ok()
    };
    assert_eq!(query(&[sql]), "n\n26\n");
    assert_eq!(query(&["--file", file.to_str().unwrap()]), "n\n26\n");
    assert_eq!(query(&["-"]), "n\n26\n");
    assert_eq!(query(&[]), "n\n26\n");
    let told = run(&mut influx3(&server.url(), ["q"])).failed(2);
    assert!(told.contains("the query is empty"), "{told}");
}

#[test]
fn parameters_have_the_type_that_they_look_like() {
    let server = home_server();
    let sql = "SELECT count(*) AS n FROM home WHERE room = $room AND temp > $limit AND time < $end";
    let arguments = [
        "query",
        sql,
        "--format",
        "csv",
        "-p",
        "room=Kitchen",
        "-p",
        "limit=22.5",
        "-p",
        "end=2022-01-01T12:00:00Z",
    ];
    assert_eq!(run(&mut influx3(&server.url(), arguments)).ok(), "n\n2\n");
}

#[test]
fn influxql_is_understood() {
    let server = home_server();
    let arguments = ["query", "-l", "influxql", "SHOW MEASUREMENTS", "--format", "jsonl"];
    let out = run(&mut influx3(&server.url(), arguments)).ok();
    assert!(out.contains("\"home\""), "{out}");
}

#[test]
fn a_limit_of_rows_shows_the_first_ones_and_of_a_table_both_ends() {
    let server = home_server();
    let sql = "SELECT time FROM home WHERE room = 'Kitchen' ORDER BY time";
    let shown = |format: &str, rows: &str| {
        let arguments = ["query", sql, "--format", format, "--max-rows", rows];
        run(&mut influx3(&server.url(), arguments)).ok()
    };
    assert_eq!(shown("csv", "2"), "time\n2022-01-01T08:00:00Z\n2022-01-01T09:00:00Z\n");
    assert_eq!(
        shown("pretty", "3"),
        "\
+----------------------+
| time                 |
+----------------------+
| 2022-01-01T08:00:00Z |
| 2022-01-01T09:00:00Z |
| …                    |
| 2022-01-01T20:00:00Z |
+----------------------+
3 of 13 rows
"
    );
    assert!(shown("pretty", "0").ends_with("13 rows\n"));
}

#[test]
fn of_many_rows_a_table_holds_the_ends_in_whatever_batches_they_come() {
    for sizes in [&[1000][..], &[1, 1, 996, 1, 1], &[300, 300, 400], &[2; 500]] {
        let mut from = 0;
        let batches: Vec<_> = sizes
            .iter()
            .map(|size| {
                from += size;
                numbers(from).slice((from - size) as usize, *size as usize)
            })
            .collect();
        let server = FlightServer::replay(crate::support::batches::answer(batches));
        let arguments = ["query", "q", "--max-rows", "4"];
        let out = run(&mut influx3(&server.url(), arguments)).ok();
        let shown: Vec<_> = out.lines().filter(|line| line.starts_with("| ")).collect();
        let first: Vec<_> =
            shown[1..].iter().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
        assert_eq!(first, ["0", "1", "…", "998", "999"], "{out}");
        assert!(out.ends_with("4 of 1000 rows\n"), "{out}");
    }
}

#[test]
fn columns_can_be_asked_for_without_rows() {
    let server = home_server();
    let arguments = ["query", "SELECT room, temp, time FROM home", "--schema", "--format", "csv"];
    assert_eq!(
        run(&mut influx3(&server.url(), arguments)).ok(),
        "column,kind,type,nullable\nroom,tag,Utf8,true\ntemp,field,Float64,true\n\
         time,time,Timestamp(ns),false\n"
    );
}

#[test]
fn statistics_stand_on_standard_error() {
    let server = home_server();
    let arguments = ["query", "SELECT temp FROM home LIMIT 3", "--format", "csv", "--stats"];
    let ran = run(&mut influx3(&server.url(), arguments));
    assert!(ran.err.starts_with("3 rows in 1 batch, "), "{}", ran.err);
    assert_eq!(ran.ok().lines().count(), 4);
}

#[test]
fn a_file_is_there_as_a_whole_or_not_at_all() {
    let folder = Folder::new();
    let out = folder.file("home.csv", "old");
    let server = FlightServer::start(|_, call| {
        let mut steps = vec![Step::Head];
        steps.extend(messages(&[numbers(3)]).into_iter().map(Step::Message));
        steps.push(if call == 0 { Step::Hangup } else { ok() });
        steps
    });
    let query = || run(influx3(&server.url(), ["query", "q", "--output"]).arg(&out));
    query().failed(1);
    assert_eq!((text(&out).as_str(), folder.names()), ("old", vec!["home.csv".to_owned()]));
    query().ok();
    assert_eq!(text(&out), "n,f\n0,0.0\n1,0.5\n2,1.0\n");
    assert_eq!(folder.names(), ["home.csv"]);
}

#[test]
fn the_name_of_a_file_says_the_format_or_it_has_to_be_given() {
    let server = home_server();
    let folder = Folder::new();
    let query = |name: &str, arguments: &[&str]| {
        let mut command = influx3(&server.url(), ["query", "SELECT temp FROM home LIMIT 1"]);
        run(command.args(arguments).arg("--output").arg(folder.path(name)))
    };
    query("a.csv", &[]).ok();
    assert!(text(&folder.path("a.csv")).starts_with("temp\n"));
    query("a.txt", &[]).ok();
    assert!(text(&folder.path("a.txt")).starts_with("+--"));
    let told = query("a.orc", &[]).failed(2);
    assert!(told.contains("a.orc: the name does not say") && told.contains("--format"), "{told}");
    query("a.orc", &["--format", "csv"]).ok();
    assert_eq!(folder.names(), ["a.csv", "a.orc", "a.txt"]);
}

#[test]
fn the_first_rows_are_seen_before_the_last_have_come() {
    for format in ["csv", "jsonl", "lp", "vertical", "markdown"] {
        let gate = Arc::new(Notify::new());
        let server = FlightServer::start({
            let gate = gate.clone();
            move |_, _| {
                let messages = messages(&[numbers(2), numbers(2)]);
                let mut messages = messages.into_iter().map(Step::Message);
                let mut steps = vec![Step::Head];
                steps.extend(messages.by_ref().take(2));
                steps.push(Step::WaitFor(gate.clone()));
                steps.extend(messages);
                steps.push(ok());
                steps
            }
        });
        let arguments = ["query", "q", "--format", format, "--measurement", "m"];
        let mut child = spawn(&mut influx3(&server.url(), arguments));
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        assert!(!first.is_empty(), "{format}");
        gate.notify_one();
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("0.5"), "{format}: {rest}");
        assert!(child.wait().unwrap().success(), "{format}");
    }
}

#[test]
fn a_reader_that_wants_no_more_ends_it_quietly_and_cancels_it() {
    let (reset, was_reset) = std::sync::mpsc::channel();
    let server = FlightServer::start(move |_, _| {
        let batch = numbers(10_000);
        let mut steps = vec![Step::Head];
        steps.extend(messages(&vec![batch; 60]).into_iter().map(Step::Message));
        steps.push(Step::UntilReset(reset.clone()));
        steps
    });
    let mut child = spawn(&mut influx3(&server.url(), ["query", "q", "--format", "csv"]));
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "n,f\n");
    drop(out);
    let ran = crate::run::end(child);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    was_reset.recv_timeout(crate::support::http::HANGS).unwrap();
}

#[test]
fn what_the_server_says_of_a_query_is_told() {
    let server = home_server();
    let told = run(&mut influx3(&server.url(), ["query", "SELECT * FROM nix"])).failed(1);
    assert!(told.starts_with("influx3: ") && told.contains("nix"), "{told}");
    let arguments = ["query", "SELECT * FROM nix", "--json-errors"];
    let told = run(&mut influx3(&server.url(), arguments)).failed(1);
    let error: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(error["error"]["grpc_status"], 3);
    let arguments = ["query", "SELECT 1", "--format", "lp"];
    let told = run(&mut influx3(&server.url(), arguments)).failed(2);
    assert!(told.contains("--measurement"), "{told}");
}
