//! What is written comes back as it was.

use influxdb3_dev_server::DevServer;

use crate::run::{Folder, influx3, run, text};

/// A file of what CSV and InfluxDB make difficult, in the form in which it comes back: times with `Z`, floats with a
/// point, quotes only where they are needed.
const AWKWARD: &str = "\
site,note,flag,level,count,time
Hall,plain,true,21.5,1,2022-01-01T08:00:00Z
Hall,\"with, a comma\",false,-0.1,-9223372036854775808,2022-01-01T08:00:00.123456789Z
Hall,\"with \"\"quotes\"\"\",true,1e300,9223372036854775807,2022-01-01T08:00:01Z
Hall,\"two
lines\",,0.1,0,2022-01-01T08:00:02Z
Hall,\"\",false,,2,2022-01-01T08:00:03Z
Hall,\"NA\",true,3.0,,2022-01-01T08:00:04Z
Hall,\" blanks \",true,3.25,5,2022-01-01T08:00:05Z
Hall,温度 \u{1f600} \\ =,true,3.25,5,2022-01-01T08:00:06Z
Hall,,true,3.25,6,2022-01-01T08:00:07Z
Hall,\"# no comment\",true,3.25,7,2022-01-01T08:00:08Z
";

const SELECT: &str = "SELECT site, note, flag, level, count, time FROM m ORDER BY time";

fn written(file: &std::path::Path, server: &DevServer, database: &str) {
    let arguments = ["write", "-m", "m", "-t", "site", "-d", database];
    let mut command = influx3(&server.url(), arguments);
    if file.extension().is_some_and(|extension| extension == "lp") {
        command = influx3(&server.url(), ["write", "-d", database]);
    }
    run(command.arg(file)).ok();
}

#[test]
fn csv_comes_back_as_the_same_file() {
    let folder = Folder::new();
    let file = folder.file("awkward.csv", AWKWARD);
    let server = DevServer::start().unwrap();
    written(&file, &server, "sensors");
    let back = folder.path("back.csv");
    run(influx3(&server.url(), ["query", SELECT, "-o"]).arg(&back)).ok();
    assert_eq!(text(&back), AWKWARD);
}

#[test]
fn every_format_carries_everything_from_one_database_to_another() {
    let folder = Folder::new();
    let file = folder.file("awkward.csv", AWKWARD);
    let server = DevServer::start().unwrap();
    written(&file, &server, "sensors");
    for format in ["csv", "json", "jsonl", "parquet", "feather", "lp"] {
        let copy = folder.path(&format!("copy.{format}"));
        run(influx3(&server.url(), ["query", SELECT, "-m", "m", "-o"]).arg(&copy)).ok();
        let database = format!("of-{format}");
        written(&copy, &server, &database);
        let arguments = ["query", SELECT, "-d", &database, "--format", "csv"];
        assert_eq!(run(&mut influx3(&server.url(), arguments)).ok(), AWKWARD, "{format}");
    }
}
