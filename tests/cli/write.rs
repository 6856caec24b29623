//! `influx3 write`.

use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use influxdb3_dev_server::DevServer;

use crate::run::{Folder, bare, data, influx3, run, run_with, text};
use crate::support::home;
use crate::support::http::{Reply, Server, unused_port};

/// What a file of the home sensors needs to be said.
const HOME: [&str; 6] = ["--measurement", "home", "--tag", "room", "--precision", "s"];

fn write<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["write"], arguments].concat()
}

#[test]
fn files_of_every_format_are_written() {
    for name in [
        "home.csv",
        "home-rfc3339.csv",
        "home.json",
        "home.jsonl",
        "home-columns.json",
        "home-snappy.parquet",
        "home-zstd.parquet",
        "home-lz4.feather",
        "home.arrows",
        "home-zlib.orc",
    ] {
        let server = DevServer::start().unwrap();
        let path = data(name);
        let arguments = write(&[&[path.to_str().unwrap()], &HOME[..]].concat());
        let ran = run(&mut influx3(&server.url(), arguments));
        assert!(ran.err.contains("wrote 26 lines"), "{name}: {}", ran.err);
        assert_eq!(ran.ok(), "", "{name}");
        assert_eq!(server.rows("sensors", "home"), 26, "{name}");
    }
}

#[test]
fn standard_input_is_line_protocol_and_may_be_packed() {
    let lines = home::lines().join("\n");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(lines.as_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    for (bytes, arguments) in [
        (lines.as_bytes(), &["write", "--precision", "s"][..]),
        (lines.as_bytes(), &["write", "--precision", "s", "-"]),
        (&packed, &["write", "--precision", "s", "-"]),
    ] {
        let server = DevServer::start().unwrap();
        run_with(&mut influx3(&server.url(), arguments), bytes).ok();
        assert_eq!(server.rows("sensors", "home"), 26);
    }
}

#[test]
fn standard_input_can_be_of_every_format() {
    for (name, format) in
        [("home.csv", "csv"), ("home.jsonl", "jsonl"), ("home-snappy.parquet", "parquet")]
    {
        let server = DevServer::start().unwrap();
        let arguments = write(&[&["-", "--format", format], &HOME[..]].concat());
        run_with(&mut influx3(&server.url(), arguments), &fs::read(data(name)).unwrap()).ok();
        assert_eq!(server.rows("sensors", "home"), 26, "{name}");
    }
}

#[test]
fn a_folder_a_pattern_and_several_files_are_written_in_one_go() {
    let folder = Folder::new();
    folder.file("in/a.lp", "m,f=a v=1 1");
    folder.file("in/deeper/b.lp", "m,f=b v=1 1\nm,f=c v=1 1");
    folder.file("in/notes.txt", "no data");
    folder.file("c.line", "m,f=d v=1 1");
    let at = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    for (arguments, lines) in [
        (vec![at("in")], 3),
        (vec![at("in/*.lp")], 1),
        (vec![at("in/**/*.lp")], 3),
        (vec![at("in/a.lp"), at("in/deeper/b.lp"), at("c.line")], 4),
    ] {
        let server = DevServer::start().unwrap();
        let mut command = influx3(&server.url(), ["write"]);
        run(command.args(&arguments)).ok();
        assert_eq!(server.rows("sensors", "m"), lines, "{arguments:?}");
    }
    let server = DevServer::start().unwrap();
    let failed =
        |argument: String, code| run(influx3(&server.url(), ["write"]).arg(argument)).failed(code);
    assert!(failed(at("in/*.csv"), 1).contains("matches no file"));
    assert!(failed(at("x.csv"), 1).contains("no such file"));
    assert!(failed(at("in/notes.txt"), 2).contains("--format"));
}

#[test]
fn refused_lines_are_kept_with_their_reasons_and_can_be_written_once_they_are_mended() {
    for api in [&["--v3"][..], &[]] {
        let folder = Folder::new();
        let rejects = folder.file("bad.lp", "# of an earlier run\n");
        let server = DevServer::start().unwrap();
        run_with(&mut influx3(&server.url(), ["write"]), b"m temp=1 1").ok();
        let lines = b"m temp=2 2\nm temp=\"hot\" 3\nm temp=4 4\nm temp=true 5\n";
        let mut command = influx3(&server.url(), ["write", "--rejects"]);
        let ran = run_with(command.arg(&rejects).args(api), lines);
        let told = ran.failed(3);
        assert!(told.contains("wrote 2 lines") && told.contains("refused 2 lines"), "{told}");
        assert!(told.contains("line 2: ") && told.contains("temp=\"hot\""), "{told}");
        assert!(!told.contains("use_v2_api"), "{told}");
        let kept = text(&rejects);
        assert!(kept.starts_with("# of an earlier run\n# refused "), "{kept}");
        let data: Vec<_> = kept.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(data, ["m temp=\"hot\" 3", "m temp=true 5"], "{kept}");
        assert_eq!(server.rows("sensors", "m"), 3);

        let arguments = ["write", "--json", "--format", "lp", "-"];
        let ran = run_with(influx3(&server.url(), arguments).args(api), lines);
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(report["files"][0]["rejected"], 2, "{report}");

        let mended = kept.replace("\"hot\"", "30").replace("true", "50");
        fs::write(&rejects, mended).unwrap();
        run(influx3(&server.url(), ["write"]).arg(&rejects)).ok();
        assert_eq!(server.rows("sensors", "m"), 5);

        // It would never end.
        let mut command = influx3(&server.url(), ["write", "--rejects"]);
        let told = run(command.arg(&rejects).arg(&rejects)).failed(2);
        assert!(told.contains("would be appended to"), "{told}");
    }
}

#[test]
fn rows_that_cannot_be_written_are_left_out_if_that_is_wanted() {
    let server = DevServer::start().unwrap();
    let csv = b"time,temp\n1,21.5\n2,hot\n3,22.5\n";
    let arguments =
        ["write", "--format", "csv", "-m", "m", "--column", "temp:f64", "--precision", "s", "-"];
    let told = run_with(&mut influx3(&server.url(), arguments), csv).failed(3);
    assert!(told.contains("line 3"), "{told}");
    let mut command = influx3(&server.url(), arguments);
    let ran = run_with(command.arg("--skip-bad-rows"), csv);
    assert!(ran.err.contains("1 skipped as bad") && ran.err.contains("line 3"), "{}", ran.err);
    ran.ok();
    assert_eq!(server.rows("sensors", "m"), 2);
}

#[test]
fn columns_are_what_is_said_of_them() {
    let csv = b"when;place;temp;id;note\n01.02.2022 08:00;Hall;21,5;7;x\n";
    let arguments = [
        "write",
        "--format",
        "csv",
        "-m",
        "home",
        "--delimiter",
        ";",
        "--decimal-comma",
        "--time-format",
        "%d.%m.%Y %H:%M",
        "--column",
        "when:time",
        "--column",
        "place:tag",
        "--column",
        "id:string",
        "--exclude",
        "note",
        "--rename",
        "temp=t",
        "--dry-run",
        "-",
    ];
    let lines = run_with(&mut influx3("http://nowhere.invalid", arguments), csv).ok();
    assert_eq!(lines, "home,place=Hall t=21.5,id=\"7\" 1643702400000000000\n");
}

#[test]
fn a_dry_run_needs_no_server_and_shows_lines_or_what_they_come_to() {
    let home = data("home.csv");
    let with = |form: &str| {
        let arguments = write(&[&[home.to_str().unwrap(), form], &HOME[..]].concat());
        run(bare().args(arguments)).ok()
    };
    let mut lines: Vec<_> = with("--dry-run").lines().map(str::to_owned).collect();
    let mut expected = home::lines();
    lines.sort();
    expected.sort();
    assert_eq!(lines, expected);
    assert_eq!(
        with("--dry-run=summary"),
        "home: 26 points, 2022-01-01T08:00:00Z to 2022-01-01T20:00:00Z\n  \
           tag    room  2 values\n  \
           field  co    integer\n  \
           field  hum   float\n  \
           field  temp  float\n\
         26 points in 1 table\n"
    );
    let lines = b"m,a=1 v=1 1\nm,a=1 v=2 1\nm,a=2 v=\"x\" 1\nm v=1x 1\nn v=1i 2\n";
    let mut command = bare();
    let text = run_with(command.args(["write", "--dry-run=summary", "-"]), lines).ok();
    assert!(text.contains("v  float and string (the server takes only the first one"), "{text}");
    assert!(text.contains("1 point with the series and the time of an earlier one"), "{text}");
    assert!(text.contains("4 points in 2 tables; 1 that no server takes"), "{text}");
    let mut command = bare();
    let json = run_with(command.args(["write", "--dry-run=summary", "--json", "-"]), lines).ok();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["tables"][0]["points_twice"], 1);
    assert_eq!(json["tables"][1]["fields"]["v"], serde_json::json!(["integer"]));
}

#[test]
fn a_summary_is_there_for_machines() {
    let server = DevServer::start().unwrap();
    let home = data("home.csv");
    let arguments = write(&[&[home.to_str().unwrap(), "--json"], &HOME[..]].concat());
    let ran = run(&mut influx3(&server.url(), arguments));
    assert_eq!(ran.err, "");
    let report: serde_json::Value = serde_json::from_str(&ran.ok()).unwrap();
    assert_eq!(report["lines"], 26);
    assert_eq!(report["rejected"], 0);
    assert_eq!(report["files"][0]["columns"][0]["name"], "temp");
    assert_eq!(report["files"][0]["columns"][0]["type"], "f64");
}

#[test]
fn requests_have_the_size_and_the_form_that_is_asked_for() {
    let server = Server::accepting();
    let lines: String = (1..=25).map(|n| format!("m v={n} {n}\n")).collect();
    let arguments = ["write", "--batch-size", "10", "--gzip", "--no-sync", "--workers", "1", "-"];
    let lines = lines.repeat(20);
    run_with(&mut influx3(&server.url(), arguments), lines.as_bytes()).ok();
    let requests = server.requests();
    assert_eq!(requests.len(), 50);
    for request in &requests {
        assert!(request.path.starts_with("/api/v3/write_lp?"), "{}", request.path);
        assert!(request.path.contains("no_sync=true"), "{}", request.path);
    }
    // To this machine nothing is compressed unless that is said; small requests never are.
    let server = Server::accepting();
    run_with(&mut influx3(&server.url(), ["write", "-"]), lines.as_bytes()).ok();
    assert_eq!(server.requests()[0].header("content-encoding"), None);
    let server = Server::accepting();
    run_with(&mut influx3(&server.url(), ["write", "--gzip", "-"]), lines.as_bytes()).ok();
    assert_eq!(server.requests()[0].header("content-encoding"), Some("gzip"));
}

/// Lines of a kilobyte each: a request of 10 MB has about ten thousand.
fn large(lines: usize) -> String {
    let text = "x".repeat(1000);
    (1..=lines).map(|n| format!("m v={n},t=\"{text}\" {n}\n")).collect()
}

#[test]
fn a_write_that_stopped_is_resumed_where_it_stopped() {
    let folder = Folder::new();
    let file = folder.file("big.lp", large(25_000));
    // Takes the first part of the file, and then no more.
    let broken = Server::start(|number, _| match number {
        0 | 1 => Reply::status(204),
        _ => Reply::text(401, "the token has gone"),
    });
    let arguments = ["write", "--workers", "1", "--json-errors"];
    let told = run(influx3(&broken.url(), arguments).arg(&file)).failed(3);
    let error = told.lines().find(|line| line.starts_with('{')).unwrap();
    let error: serde_json::Value = serde_json::from_str(error).unwrap();
    let resume = error["error"]["resume_from"].as_u64().unwrap();
    assert!(resume > 0 && resume < 25_000, "{told}");
    assert_eq!(error["error"]["exit_code"], 3);
    assert!(error["error"]["lines_written"].as_u64().unwrap() >= resume);
    assert!(told.contains(&format!("--resume-from {resume}")), "{told}");

    let server = DevServer::start().unwrap();
    let mut command = influx3(&server.url(), ["write", "--resume-from"]);
    run(command.arg(resume.to_string()).arg(&file)).ok();
    assert_eq!(server.rows("sensors", "m"), 25_000 - resume as usize);
}

#[test]
fn files_behind_the_one_that_failed_are_named_as_well() {
    let folder = Folder::new();
    let first = folder.file("a.lp", "m v=1 1\n");
    let second = folder.file("b.lp", "m v=2 2\nm v=3 3\n");
    let third = folder.file("c d.lp", "m v=4 4\n");
    let broken = Server::start(|number, _| match number {
        0 => Reply::status(204),
        _ => Reply::text(401, "the token has gone"),
    });
    let mut command = influx3(&broken.url(), ["write", "--workers", "1"]);
    let told = run(command.args([&first, &second, &third])).failed(3);
    let (b, c) = (second.display(), third.display());
    assert!(told.contains(&format!("nothing of {b} is written: go on with {b} '{c}'")), "{told}");
}

#[test]
fn standard_input_can_be_sent_again_from_where_it_stopped() {
    let lines = large(25_000);
    let broken = Server::start(|number, _| match number {
        0 | 1 => Reply::status(204),
        _ => Reply::text(401, "the token has gone"),
    });
    let mut command = influx3(&broken.url(), ["write", "--workers", "1", "-"]);
    let told = run_with(&mut command, lines.as_bytes()).failed(3);
    let advice = "of standard input: send all of it again with --resume-from ";
    let (_, resume) = told.split_once(advice).unwrap_or_else(|| panic!("{told}"));
    let resume = resume.split_once(' ').unwrap().0;
    assert!(told.contains(&format!("{advice}{resume} -\n")), "{told}");

    let server = DevServer::start().unwrap();
    let mut command = influx3(&server.url(), ["write", "--resume-from", resume, "-"]);
    run_with(&mut command, lines.as_bytes()).ok();
    assert_eq!(server.rows("sensors", "m"), 25_000 - resume.parse::<usize>().unwrap());
}

#[test]
fn the_host_that_is_named_is_the_one_that_was_asked() {
    let away = |port| format!("http://me:secret@127.0.0.1:{port}");
    let (writes, queries) = (unused_port(), unused_port());
    let mut command = influx3("http://127.0.0.1:1", ["write", "--max-retries", "0", "-"]);
    command.args(["--write-host", &format!("http://127.0.0.1:{writes}")]);
    let told = run_with(&mut command, b"m v=1 1").failed(1);
    assert!(
        told.contains(&format!("the host is http://127.0.0.1:{writes} (from --write-host)")),
        "{told}"
    );
    let mut command = influx3("http://127.0.0.1:1", ["query", "SELECT 1"]);
    command.args(["--query-host", &format!("http://127.0.0.1:{queries}")]);
    let told = run(&mut command).failed(1);
    assert!(
        told.contains(&format!("the host is http://127.0.0.1:{queries} (from --query-host)")),
        "{told}"
    );
    let told = run(&mut influx3(&away(writes), ["ping"]));
    assert!(!told.err.contains("secret"), "{}", told.err);
}

#[test]
fn a_folder_without_files_of_the_format_says_what_to_do() {
    let folder = Folder::new();
    let notes = folder.file("in/notes.txt", "m v=1 1\n");
    let path = notes.parent().unwrap();
    for (arguments, problem) in [
        (&["write"][..], "no file with a known ending (.lp"),
        (&["write", "--format", "csv"], "no file whose name says csv"),
    ] {
        let told = run(influx3("http://127.0.0.1:1", arguments).arg(path)).failed(2);
        assert!(told.contains(problem), "{told}");
        assert!(told.contains(&format!("'{}/*.txt'", path.display())), "{told}");
    }
}

#[test]
fn what_is_wrong_is_one_sentence_with_what_to_do() {
    let port = unused_port();
    let url = format!("http://127.0.0.1:{port}");
    let lines = b"m v=1 1";
    let arguments = ["write", "--max-retries", "0", "-"];
    let told = run_with(&mut influx3(&url, arguments), lines).failed(1);
    assert!(told.contains("nothing listens there"), "{told}");
    assert!(told.contains("(from INFLUX_HOST)"), "{told}");

    let told = run_with(bare().args(["write", "-"]), lines).failed(2);
    assert!(told.contains("there is no database") && told.contains("--database"), "{told}");

    let server = DevServer::builder().token("right").start().unwrap();
    let mut command = influx3(&server.url(), ["write", "--json-errors", "-q", "-"]);
    let told = run_with(command.env("INFLUX_TOKEN", "wrong-token"), lines).failed(1);
    assert!(!told.contains("wrong-token"), "{told}");
    let error: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(error["error"]["kind"], "Unauthorized");
    assert_eq!(error["error"]["advice"][0], "the token is from INFLUX_TOKEN");

    for flag in ["--batch-size", "--workers"] {
        let told = run(bare().args(["write", flag, "0", "a.lp"])).failed(2);
        assert!(told.contains(flag), "{told}");
    }
    let told = run(bare().args(["write", "--json-errors", "--no-such-flag"])).failed(2);
    let error: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(error["error"]["kind"], "Usage");
    assert!(error["error"]["message"].as_str().unwrap().contains("--no-such-flag"));
    let told = run(bare().args(["write", "--json-errors", "--drain"])).failed(2);
    let error: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert!(error["error"]["message"].as_str().unwrap().contains("--spool <DIR>"), "{told}");
}

#[test]
fn a_damaged_file_is_one_sentence() {
    let folder = Folder::new();
    // Here, the reader of ORC panics.
    let mut bytes = fs::read(data("home-snappy.orc")).unwrap();
    bytes[210] ^= 0xff;
    let file = folder.file("damaged.orc", bytes);
    let server = DevServer::start().unwrap();
    let mut command = influx3(&server.url(), write(&HOME));
    let told = run(command.arg(&file).env_remove("RUST_BACKTRACE")).failed(1);
    let path = file.display();
    let sentence = format!("influx3: {path}: it is damaged: it contradicts itself\n");
    assert_eq!(told, format!("{sentence}  nothing of {path} is written\n"));
    let mut command = influx3(&server.url(), write(&HOME));
    let told = run(command.arg(&file).env("RUST_BACKTRACE", "1")).failed(1);
    assert!(told.contains("panicked at"), "{told}");
}

#[test]
fn a_server_that_is_away_for_a_moment_costs_a_retry_and_nothing_else() {
    let server = Server::start(|number, _| match number {
        0 => Reply::Answer(503, vec![("retry-after", "0".to_owned())], Vec::new()),
        _ => Reply::status(204),
    });
    let ran = run_with(&mut influx3(&server.url(), ["write", "-"]), b"m v=1 1");
    assert!(ran.err.contains("trying again: ") && ran.err.contains("1 retried"), "{}", ran.err);
    ran.ok();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn lines_without_a_timestamp_get_one_and_no_two_the_same() {
    let server = DevServer::start().unwrap();
    run_with(&mut influx3(&server.url(), ["write", "-"]), b"m v=1\nm v=2\nm v=3").ok();
    assert_eq!(server.rows("sensors", "m"), 3);
}

#[test]
fn quiet_says_nothing() {
    let server = DevServer::start().unwrap();
    let ran = run_with(&mut influx3(&server.url(), ["write", "-q", "-"]), b"m v=1 1");
    assert_eq!((ran.code, ran.err.as_str(), ran.out.as_str()), (0, "", ""));
}
