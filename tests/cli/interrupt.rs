//! Ctrl-C.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::sync::mpsc;

use influxdb3_dev_server::DevServer;

use crate::run::{Folder, end, influx3, interrupt, run, spawn};
use crate::support::batches::{messages, numbers};
use crate::support::flight::{FlightServer, Step};
use crate::support::http::{Gate, HANGS, Reply, Server};

#[test]
fn a_query_is_cancelled_on_the_server_and_leaves_no_half_file() {
    let folder = Folder::new();
    let (sent, was_sent) = mpsc::channel();
    let (reset, was_reset) = mpsc::channel();
    let server = FlightServer::start(move |_, _| {
        let mut steps = vec![Step::Head];
        steps.extend(messages(&[numbers(3)]).into_iter().map(Step::Message));
        steps.extend([Step::Tell(sent.clone()), Step::UntilReset(reset.clone())]);
        steps
    });
    let out = folder.path("out.csv");
    let child = spawn(influx3(&server.url(), ["query", "q", "--output"]).arg(&out));
    was_sent.recv_timeout(HANGS).unwrap();
    interrupt(&child);
    was_reset.recv_timeout(HANGS).unwrap();
    let told = end(child).failed(130);
    assert!(told.contains("cancelled"), "{told}");
    assert_eq!(folder.names(), Vec::<String>::new());
}

/// A request of 10 MB has about ten thousand of these.
fn large(lines: usize) -> String {
    let text = "x".repeat(1000);
    (1..=lines).map(|n| format!("m v={n},t=\"{text}\" {n}\n")).collect()
}

#[test]
fn a_write_sends_what_is_under_way_and_tells_where_to_go_on() {
    let folder = Folder::new();
    let file = folder.file("big.lp", large(25_000));
    let gate = Gate::default();
    let server = Server::start({
        let gate = gate.clone();
        move |_, _| Reply::After(gate.clone(), Box::new(Reply::status(204)))
    });
    let mut child =
        spawn(influx3(&server.url(), ["write", "--workers", "1", "--json-errors"]).arg(&file));
    server.wait_for(1);
    interrupt(&child);
    // It has heard it.
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    err.read_line(&mut line).unwrap();
    assert!(line.contains("stopping: what was read is being sent"), "{line}");
    gate.open();
    let mut told = String::new();
    std::io::Read::read_to_string(&mut err, &mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{told}");
    let error = told.lines().find(|line| line.starts_with('{')).unwrap();
    let error: serde_json::Value = serde_json::from_str(error).unwrap();
    let resume = error["error"]["resume_from"].as_u64().unwrap();
    let sent: usize = server.requests().iter().map(|request| request.text().lines().count()).sum();
    assert_eq!(error["error"]["lines_written"], sent);
    assert_eq!(resume as usize, sent, "{told}");

    let rest = DevServer::start().unwrap();
    let mut command = influx3(&rest.url(), ["write", "--resume-from"]);
    run(command.arg(resume.to_string()).arg(&file)).ok();
    assert_eq!(rest.rows("sensors", "m") + sent, 25_000);
}

#[test]
fn whole_lines_of_a_pipe_that_goes_on_are_written_before_its_end_and_at_an_interrupt() {
    let server = Server::accepting();
    let mut child = spawn(&mut influx3(&server.url(), ["write", "-"]));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"m v=1 1\nm v=2 2\n").unwrap();
    // They do not wait for more.
    assert_eq!(server.wait_for(1)[0].text(), "m v=1 1\nm v=2 2\n");
    // The last one is not whole, and says something else than what was meant.
    stdin.write_all(b"m v=3 3\nm v=4 40").unwrap();
    server.wait_for(2);
    interrupt(&child);
    let told = end(child).failed(130);
    drop(stdin);
    assert_eq!(server.requests()[1].text(), "m v=3 3\n");
    assert_eq!(server.requests().len(), 2);
    assert!(told.contains("done are the first 3 lines of standard input"), "{told}");
}
