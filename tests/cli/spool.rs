//! `influx3 write --spool`.

use std::fs;
use std::path::Path;
use std::process::Command;

use influxdb3_blocking::{Client, Spool, WriteOptions};
use influxdb3_dev_server::DevServer;
use serde_json::Value;

use crate::run::{Folder, Ran, data, influx3, run, run_with, text};
use crate::support::home;
use crate::support::http::{Reply, Server, unused_port};

/// A server that is not there.
fn nowhere() -> String {
    format!("http://127.0.0.1:{}", unused_port())
}

/// `influx3 write --spool DIR`, with one more try of each request.
fn write(url: &str, directory: &Path) -> Command {
    let mut command = influx3(url, ["write", "--spool"]);
    command.arg(directory).args(["--max-retries", "1"]);
    command
}

fn report(ran: Ran) -> Value {
    serde_json::from_str(&ran.ok()).unwrap()
}

/// The lines of all segments, without comments.
fn lines_in(directory: &Path) -> Vec<String> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut segments: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|ending| ending == "lp")).collect();
    segments.sort();
    let mut lines = Vec::new();
    for path in segments {
        let segment = text(&path);
        let data = segment.lines().filter(|line| !line.starts_with('#'));
        lines.extend(data.map(str::to_owned));
    }
    lines
}

#[test]
fn what_cannot_be_sent_waits_on_the_disk_and_the_next_run_sends_it() {
    let folder = Folder::new();
    let spool = folder.path("waiting");
    let home = data("home.csv");
    let mut command = write(&nowhere(), &spool);
    command.arg(&home).args(["--measurement", "home", "--tag", "room", "--precision", "s"]);
    let ran = run(&mut command);
    assert!(ran.err.contains("wrote 0 lines"), "{}", ran.err);
    let waits = format!("26 lines (1.5 kB) wait in {}: ", spool.display());
    assert!(ran.err.contains(&waits) && ran.err.contains("nothing listens there"), "{}", ran.err);
    let advice = format!("influx3 write --spool {} --drain", spool.display());
    assert!(ran.err.contains(&advice), "{}", ran.err);
    ran.ok();
    let (mut waiting, mut expected) = (lines_in(&spool), home::lines());
    waiting.sort();
    expected.sort();
    assert_eq!(waiting, expected);

    // Neither the database nor the precision is said again.
    let server = DevServer::start().unwrap();
    let mut command = write(&server.url(), &spool);
    let ran = run(command.env("INFLUX_DATABASE", "another"));
    assert!(ran.err.contains("wrote 26 lines"), "{}", ran.err);
    assert!(ran.err.contains("26 from the spool"), "{}", ran.err);
    assert!(!ran.err.contains("wait in"), "{}", ran.err);
    ran.ok();
    assert_eq!(server.rows("sensors", "home"), 26);
    assert_eq!(lines_in(&spool), Vec::<String>::new());
    let arguments = ["query", "SELECT max(time) AS last FROM home", "--format", "csv"];
    let last = run(&mut influx3(&server.url(), arguments)).ok();
    assert!(last.contains("2022-01-01T20:00:00Z"), "{last}");
    // Once.
    let ran = run(&mut write(&server.url(), &spool));
    assert!(ran.err.contains("wrote 0 lines"), "{}", ran.err);
    ran.ok();
}

#[test]
fn a_script_sends_what_waits_and_its_standard_input_is_left_alone() {
    use std::io::Write as _;

    use crate::run::{bare, spawn};

    let folder = Folder::new();
    let spool = folder.path("what waits");
    let ran = run_with(&mut write(&nowhere(), &spool), b"m v=1 1\nm v=2 2");
    let advice = format!("influx3 write --spool '{}' --drain", spool.display());
    assert!(ran.err.contains(&advice), "{}", ran.err);
    ran.ok();
    let server = DevServer::start().unwrap();
    // No database is named: what waits knows its own.
    let mut command = bare();
    command.env("INFLUX_HOST", server.url()).args(["write", "--drain", "--spool"]);
    let mut child = spawn(command.arg(&spool));
    // The other commands of the script are to have it, and it does not end.
    let mut stdin = child.stdin.take().unwrap();
    let _ = stdin.write_all(b"m v=3 3\n");
    let told = crate::run::end(child);
    assert!(told.err.contains("2 from the spool"), "{}", told.err);
    told.ok();
    assert_eq!(server.rows("sensors", "m"), 2);
    drop(stdin);
    for other in ["a.lp", "--dry-run", "--resume-from=1"] {
        let told = run(write(&server.url(), &spool).args(["--drain", other])).failed(2);
        assert!(told.contains("--drain"), "{told}");
    }
    let told = run(&mut influx3(&server.url(), ["write", "--drain"])).failed(2);
    assert!(told.contains("--spool"), "{told}");
}

#[test]
fn new_lines_and_those_that_wait_are_sent_by_one_run() {
    let folder = Folder::new();
    let spool = folder.path("waiting");
    let lines: String = (1..=2500).map(|n| format!("m v={n} {n}\n")).collect();
    run_with(&mut write(&nowhere(), &spool), lines.as_bytes()).ok();
    assert_eq!(lines_in(&spool).len(), 2500);
    // While nothing can be sent, they become more.
    run_with(&mut write(&nowhere(), &spool), b"m v=1 2501").ok();
    assert_eq!(lines_in(&spool).len(), 2501);
    let server = DevServer::start().unwrap();
    run_with(&mut write(&server.url(), &spool), b"m v=1 2502\nm v=1 2503").ok();
    assert_eq!(server.rows("sensors", "m"), 2503);
    assert_eq!(lines_in(&spool), Vec::<String>::new());
}

#[test]
fn lines_that_wait_have_the_precision_that_was_in_force_when_they_were_read() {
    let folder = Folder::new();
    let spool = folder.path("waiting");
    let mut command = write(&nowhere(), &spool);
    run_with(command.env("INFLUX_PRECISION", "s"), b"m v=1 1641024000").ok();
    let mut command = write(&nowhere(), &spool);
    run_with(command.args(["--precision", "ms"]), b"m v=1 1641024001000").ok();
    let server = DevServer::start().unwrap();
    run_with(&mut write(&server.url(), &spool), b"m v=1 1641024002000000000").ok();
    let arguments = ["query", "SELECT time FROM m ORDER BY time", "--format", "csv"];
    let times = run(&mut influx3(&server.url(), arguments)).ok();
    let expected = "time\n2022-01-01T08:00:00Z\n2022-01-01T08:00:01Z\n2022-01-01T08:00:02Z\n";
    assert_eq!(times.replace("\r\n", "\n"), expected);
}

#[test]
fn nothing_touches_the_disk_while_the_server_is_there() {
    let folder = Folder::new();
    let spool = folder.path("waiting");
    let server = DevServer::start().unwrap();
    let file = folder.file("a.lp", "m v=1 1\nm v=2 2\nm v=3 3\n");
    let mut command = write(&server.url(), &spool);
    let ran = run(command.arg(&file).args(["--resume-from", "1"]));
    assert!(ran.err.contains("wrote 2 lines"), "{}", ran.err);
    ran.ok();
    assert_eq!(server.rows("sensors", "m"), 2);
    assert_eq!(lines_in(&spool), Vec::<String>::new());
}

#[test]
fn machines_are_told_what_waits_and_what_was_sent() {
    let folder = Folder::new();
    let spool = folder.path("waiting");
    let ran = run_with(write(&nowhere(), &spool).args(["--json", "-q"]), b"m v=1 1\nm v=2 2");
    assert_eq!(ran.err, "");
    let waiting = report(ran);
    assert_eq!(waiting["lines"], 0);
    assert_eq!(waiting["spool"]["directory"], spool.to_str().unwrap());
    assert_eq!(waiting["spool"]["lines"], 2);
    assert_eq!(waiting["spool"]["bytes"], 16);
    assert_eq!(waiting["spool"]["found_lines"], 0);
    assert!(waiting["spool"]["oldest_seconds"].is_number(), "{waiting}");
    assert!(waiting["spool"]["reason"].as_str().unwrap().contains("nothing listens there"));

    let server = DevServer::start().unwrap();
    let sent = report(run_with(write(&server.url(), &spool).arg("--json"), b"m v=3 3"));
    assert_eq!(sent["lines"], 3);
    assert_eq!(sent["spool"]["lines"], 0);
    assert_eq!(sent["spool"]["found_lines"], 2);
    assert_eq!(sent["spool"]["found_lines_written"], 2);
    assert_eq!(sent["spool"]["reason"], Value::Null);
    assert_eq!(server.rows("sensors", "m"), 3);
}

#[test]
fn a_server_that_refuses_the_token_is_named_as_the_reason() {
    let folder = Folder::new();
    let spool = folder.path("waiting");
    let server = DevServer::builder().token("right").start().unwrap();
    let mut command = write(&server.url(), &spool);
    let ran = run_with(command.env("INFLUX_TOKEN", "wrong-token"), b"m v=1 1");
    let reason = format!("1 line (8 B) waits in {}: the token is", spool.display());
    assert!(ran.err.contains(&reason), "{}", ran.err);
    assert!(!ran.err.contains("wrong-token"), "{}", ran.err);
    ran.ok();
    run(write(&server.url(), &spool).env("INFLUX_TOKEN", "right")).ok();
    let mut command = influx3(&server.url(), ["query", "SELECT * FROM m", "--format", "csv"]);
    assert_eq!(run(command.env("INFLUX_TOKEN", "right")).ok().lines().count(), 2);
}

#[test]
fn a_server_that_is_away_for_a_moment_costs_a_retry_and_nothing_else() {
    let folder = Folder::new();
    let spool = folder.path("waiting");
    let server = Server::start(|number, _| match number {
        0 => Reply::Answer(503, vec![("retry-after", "0".to_owned())], Vec::new()),
        _ => Reply::status(204),
    });
    let ran = run_with(&mut write(&server.url(), &spool), b"m v=1 1");
    assert!(ran.err.contains("wrote 1 line ") && !ran.err.contains("wait"), "{}", ran.err);
    ran.ok();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn lines_that_the_server_refuses_are_kept_with_their_reasons_and_others_are_written() {
    for api in [&["--v3"][..], &[]] {
        let folder = Folder::new();
        let (spool, rejects) = (folder.path("waiting"), folder.path("bad.lp"));
        let server = DevServer::start().unwrap();
        run_with(&mut influx3(&server.url(), ["write"]), b"m temp=1 1").ok();
        // One of them has waited.
        run_with(write(&nowhere(), &spool).args(api), b"m temp=true 5").ok();
        let lines = b"m temp=2 2\nm temp=\"hot\" 3\nm temp=4 4\n";
        let mut command = write(&server.url(), &spool);
        let ran = run_with(command.args(api).arg("--rejects").arg(&rejects), lines);
        let told = ran.failed(3);
        assert!(told.contains("wrote 2 lines") && told.contains("refused 2 lines"), "{told}");
        assert!(told.contains("temp=\"hot\"") && told.contains("temp=true"), "{told}");
        assert!(told.contains(rejects.to_str().unwrap()), "{told}");
        let kept = text(&rejects);
        let mut data: Vec<_> = kept.lines().filter(|line| !line.starts_with('#')).collect();
        data.sort_unstable();
        assert_eq!(data, ["m temp=\"hot\" 3", "m temp=true 5"], "{kept}");
        assert_eq!(server.rows("sensors", "m"), 3);
        assert_eq!(lines_in(&spool), Vec::<String>::new());
    }
}

#[test]
fn a_directory_that_cannot_be_used_is_one_sentence() {
    let folder = Folder::new();
    let spool = folder.path("waiting");
    let server = DevServer::start().unwrap();
    let options = WriteOptions::default().spool(Spool::directory(&spool));
    let builder = Client::builder().host(server.url()).database("db").write_options(options);
    let other = builder.build().unwrap();
    let told = run_with(&mut write(&server.url(), &spool), b"m v=1 1").failed(1);
    let sentence = format!("influx3: {} is in use by another process\n", spool.display());
    assert!(told.starts_with(&sentence), "{told}");
    assert_eq!(told.lines().count(), 2, "{told}");
    other.close().unwrap();
    run_with(&mut write(&server.url(), &spool), b"m v=1 1").ok();

    let file = folder.file("a.lp", "m v=1 1");
    let told = run(write(&server.url(), &file).arg("--json-errors")).failed(1);
    let error: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(error["error"]["kind"], "File");
    assert!(error["error"]["message"].as_str().unwrap().contains("a.lp"), "{told}");
}

#[test]
fn options_that_cannot_be_meant_together_are_refused_and_a_dry_run_touches_nothing() {
    let folder = Folder::new();
    let spool = folder.path("waiting");
    let mut command = write(&nowhere(), &spool);
    let told = run(command.args(["--rate-limit", "5 MB/min", "-"])).failed(2);
    assert!(told.contains("--spool") && told.contains("--rate-limit"), "{told}");
    let mut command = write(&nowhere(), &spool);
    assert_eq!(run_with(command.args(["--dry-run", "-"]), b"m v=1 1").ok(), "m v=1 1\n");
    assert_eq!(folder.names(), Vec::<String>::new());
}

#[test]
fn a_file_that_ends_in_the_middle_is_kept_up_to_there_and_resumed_from_there() {
    let folder = Folder::new();
    let spool = folder.path("waiting");
    let file = folder.file("a.csv", "time,temp\n1,21.5\n2,22.5\n3,hot\n");
    let as_is = ["-m", "m", "--column", "temp:f64", "--precision", "s"];
    let mut command = write(&nowhere(), &spool);
    let told = run(command.arg(&file).args(as_is)).failed(3);
    assert!(told.contains("line 4") && told.contains("--resume-from 2 "), "{told}");
    assert!(told.contains("2 lines (") && told.contains("wait in"), "{told}");
    fs::write(&file, text(&file).replace("hot", "23.5")).unwrap();
    let server = DevServer::start().unwrap();
    let mut command = write(&server.url(), &spool);
    run(command.arg(&file).args(as_is).args(["--resume-from", "2"])).ok();
    assert_eq!(server.rows("sensors", "m"), 3);
}

#[cfg(unix)]
#[test]
fn lines_that_can_be_kept_nowhere_are_told() {
    let folder = Folder::new();
    let spool = folder.path("waiting");
    // Files may have a kilobyte at most.
    let limited = "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"";
    let known = write(&nowhere(), &spool);
    let mut command = Command::new("sh");
    command.args(["-c", limited]).arg(known.get_program()).args(known.get_args());
    for (name, value) in known.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let lines: String = (1..=500).map(|n| format!("m v={n} {n}\n")).collect();
    let ran = run_with(command.arg("--json-errors"), lines.as_bytes());
    let told = ran.failed(3);
    let error = told.lines().find(|line| line.starts_with('{')).unwrap();
    let error: Value = serde_json::from_str(error).unwrap();
    assert_eq!(error["error"]["lines_lost"], 500, "{told}");
    assert_eq!(error["error"]["lines_in_spool"], 0, "{told}");
    assert!(told.contains("500 lines could be neither sent nor kept in "), "{told}");
    assert!(told.contains("nothing listens there"), "{told}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_what_was_taken_on_the_disk_or_at_the_server() {
    use std::io::Write as _;

    use crate::run::{end, interrupt, spawn};

    let folder = Folder::new();
    let spool = folder.path("waiting");
    // It takes nothing, and the command would try on for a while.
    let server = Server::start(|_, _| Reply::status(503));
    let mut command = influx3(&server.url(), ["write", "--max-retries", "20", "--spool"]);
    let mut child = spawn(command.arg(&spool).arg("-"));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"m v=1 1\nm v=2 2\nm v=3 30").unwrap();
    server.wait_for(1);
    interrupt(&child);
    let told = end(child).failed(130);
    drop(stdin);
    assert!(told.contains("done are the first 2 lines of standard input"), "{told}");
    assert!(told.contains("2 lines (16 B) wait in"), "{told}");
    assert_eq!(lines_in(&spool), ["m v=1 1", "m v=2 2"]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_while_the_server_is_waited_for_leaves_the_whole_file_on_the_disk() {
    use crate::run::{end, interrupt, spawn};

    let folder = Folder::new();
    let spool = folder.path("waiting");
    let lines: Vec<_> = (1..=500).map(|n| format!("m v={n} {n}")).collect();
    let file = folder.file("a.lp", lines.join("\n"));
    let server = Server::start(|_, _| {
        Reply::Answer(503, vec![("retry-after", "20".to_owned())], Vec::new())
    });
    let mut command = influx3(&server.url(), ["write", "--json-errors"]);
    let child = spawn(command.arg("--spool").arg(&spool).arg(&file));
    // They are too few for a request, but at the end.
    server.wait_for(1);
    interrupt(&child);
    let told = end(child).failed(130);
    let error = told.lines().find(|line| line.starts_with('{')).unwrap();
    let error: Value = serde_json::from_str(error).unwrap();
    assert_eq!(error["error"]["lines_in_spool"], 500, "{told}");
    assert_eq!(error["error"]["resume_from"], Value::Null, "{told}");
    let mut waiting = lines_in(&spool);
    let mut expected = lines;
    waiting.sort();
    expected.sort();
    assert!(waiting == expected, "{told}");
}
