//! `influx3 sql` without a terminal.

use crate::run::{Folder, home_server, influx3, run_with, text};

#[test]
fn statements_and_commands_are_read_from_standard_input() {
    let server = home_server();
    let folder = Folder::new();
    let out = folder.path("out.csv");
    let input = format!(
        "\\d\n\\d home\n\\format csv\nSELECT ';' AS a,\n  count(*) AS n\nFROM home; SELECT 1 AS b;\n\
         \\o {}\nSELECT 2 AS c; -- the last one\n\\o\n\\language influxql\nSHOW MEASUREMENTS\n",
        out.display()
    );
    let ran = run_with(&mut influx3(&server.url(), ["sql"]), input.as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let (shown, told) = (ran.out, ran.err);
    let columns = "\
co    field  Int64
hum   field  Float64
room  tag    Dictionary(Int32, Utf8)
temp  field  Float64
time  time   Timestamp(ns)
";
    assert!(shown.starts_with(&format!("home\n{columns}a,n\n;,26\nb\n1\n")), "{shown}");
    assert!(shown.contains("measurements"), "{shown}");
    // What is no answer is not among the answers.
    let out_of_file = format!("1 row to {}\n", out.display());
    assert_eq!(told, format!("the format is csv\n{out_of_file}the language is influxql\n"));
    assert_eq!(text(&out), "c\n2\n");
}

#[test]
fn an_answer_for_a_file_has_the_format_of_its_name() {
    let server = home_server();
    let folder = Folder::new();
    let (csv, plain) = (folder.path("a.csv"), folder.path("plain"));
    let input = format!(
        "\\o {}\nSELECT 1 AS a;\n\\format jsonl\n\\o {}\nSELECT 2 AS b;\n\\o a.xlsx\n",
        csv.display(),
        plain.display()
    );
    let told = run_with(&mut influx3(&server.url(), ["sql"]), input.as_bytes()).failed(2);
    assert!(told.contains("a.xlsx"), "{told}");
    assert_eq!(text(&csv), "a\n1\n");
    assert_eq!(text(&plain), "{\"b\":2}\n");
}

#[test]
fn the_first_failure_ends_it() {
    let server = home_server();
    let ran = run_with(&mut influx3(&server.url(), ["sql"]), b"SELECT * FROM nix;\nSELECT 1;\n");
    assert_eq!(ran.out, "");
    assert!(ran.failed(1).contains("nix"));
    let told = run_with(&mut influx3(&server.url(), ["sql"]), b"\\nonsense\n").failed(2);
    assert!(told.contains("\\? shows all"), "{told}");
    let told = run_with(&mut influx3(&server.url(), ["sql"]), b"\\format xlsx\n").failed(2);
    assert!(told.contains("\"xlsx\" is no format: there are pretty, vertical, "), "{told}");
}
