//! What the write endpoints do beyond the recorded answers.

mod support;

use std::io::Write;

use datafusion::arrow::{
    array::AsArray,
    datatypes::{Float64Type, Int64Type, TimestampNanosecondType, UInt64Type},
};
use flate2::{Compression, write::GzEncoder};
use influxdb3_dev_server::DevServer;
use serde_json::json;

use support::{http, post, sql, write};

const V2: &str = "/api/v2/write?bucket=db";
const V3: &str = "/api/v3/write_lp?db=db&precision=ns";
const ALL_OR_NOTHING: &str = "/api/v3/write_lp?db=db&precision=ns&accept_partial=false";

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// The `data` of a partial write: message, number, line.
fn line_errors(body: &str) -> Vec<(String, u64, String)> {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["error"], "partial write of line protocol occurred");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let entry = |e: &serde_json::Value| {
        (text(&e["error_message"]), e["line_number"].as_u64().unwrap(), text(&e["original_line"]))
    };
    body["data"].as_array().unwrap().iter().map(entry).collect()
}

#[test]
fn every_type_comes_back_as_it_was_written() {
    let server = DevServer::start().unwrap();
    write(
        &server,
        "db",
        concat!(
            r#"t\ able,tag\,\ key=tag\=\ value f=-1.5e-3,i=-9223372036854775808i,"#,
            r#"u=18446744073709551615u,yes=T,no=false,s="q\"uote\\ and"#,
            "\nnewline, é\" -9223372036854775808",
        ),
    );
    let batches = sql(&server, "db", "SELECT * FROM \"t able\"").batches();
    let [batch] = &batches[..] else { panic!("{batches:?}") };
    let names: Vec<_> = batch.schema_ref().fields().iter().map(|f| f.name().as_str()).collect();
    assert_eq!(names, ["f", "i", "no", "s", "tag, key", "time", "u", "yes"]);
    assert_eq!(batch["f"].as_primitive::<Float64Type>().values(), &[-1.5e-3]);
    assert_eq!(batch["i"].as_primitive::<Int64Type>().values(), &[i64::MIN]);
    assert_eq!(batch["u"].as_primitive::<UInt64Type>().values(), &[u64::MAX]);
    assert!(batch["yes"].as_boolean().value(0) && !batch["no"].as_boolean().value(0));
    assert_eq!(batch["s"].as_string::<i32>().value(0), "q\"uote\\ and\nnewline, é");
    assert_eq!(batch["tag, key"].as_string::<i32>().value(0), "tag= value");
    assert_eq!(batch["time"].as_primitive::<TimestampNanosecondType>().values(), &[i64::MIN]);
}

#[test]
fn the_same_series_and_time_is_the_same_row() {
    let server = DevServer::start().unwrap();
    write(&server, "db", "m,a=1,b=2 f=1,g=1 5\nm,b=2,a=1 f=2 5\nm,a=1,b=2 h=3 5\nm,a=1 f=9 5");
    assert_eq!(server.rows("db", "m"), 2);
    let batches = sql(&server, "db", "SELECT f, g, h FROM m WHERE b = '2'").batches();
    let values = |name: &str| batches[0][name].as_primitive::<Float64Type>().values().to_vec();
    assert_eq!((values("f"), values("g"), values("h")), (vec![2.0], vec![1.0], vec![3.0]));
}

#[test]
fn a_line_without_a_time_gets_the_servers_in_the_requests_unit() {
    let server = DevServer::start().unwrap();
    assert_eq!(post(&server, "/api/v3/write_lp?db=db&precision=second", "m f=1").status, 204);
    let batches = sql(&server, "db", "SELECT time FROM m").batches();
    let time = batches[0]["time"].as_primitive::<TimestampNanosecondType>().value(0);
    assert!(time > 1_600_000_000_000_000_000, "{time}");
    assert_eq!(time % 1_000_000_000, 0);
}

#[test]
fn a_tag_said_twice_is_an_error_that_nobody_overlooks() {
    let server = DevServer::start().unwrap();
    for path in [V2, V3, ALL_OR_NOTHING] {
        let answer = post(&server, path, "m f=1 1\nm,a=x,b=y,a=x f=1 2");
        assert_eq!(answer.status, 500);
        assert!(answer.text().contains("line 2 has the tag 'a' twice"), "{}", answer.text());
    }
    assert_eq!(server.rows("db", "m"), 0);
}

#[test]
fn only_the_first_gzip_member_is_read() {
    let server = DevServer::start().unwrap();
    let mut members = gzip("m f=1 1\n");
    members.extend(gzip("m f=1 2\n"));
    let gzipped = [("content-encoding", "gzip")];
    assert_eq!(http(&server, "POST", V3, &gzipped, &members).unwrap().status, 204);
    assert_eq!(server.rows("db", "m"), 1);

    let short = gzip("m f=1 3\n");
    let answer = http(&server, "POST", V3, &gzipped, &short[..short.len() - 6]).unwrap();
    assert_eq!(answer.status, 500);
    assert_eq!(answer.text(), "error decoding gzip stream: unexpected end of file");
    let upper = http(&server, "POST", V3, &[("content-encoding", "GZIP")], &short).unwrap();
    assert_eq!((upper.status, upper.text()), (400, "unacceptable content-encoding: GZIP"));
}

#[test]
fn the_limit_holds_for_the_body_as_sent_and_as_decoded() {
    let line = format!("m s=\"{}\" 1", "x".repeat(100));
    let server = DevServer::builder().max_request_bytes(line.len()).start().unwrap();
    assert_eq!(post(&server, V3, &line).status, 204);
    let longer = format!("{line}\n");
    let answer = post(&server, V3, &longer);
    assert_eq!(answer.status, 500);
    assert_eq!(answer.text(), format!("max request size ({} bytes) exceeded", line.len()));
    assert_eq!(post(&server, V2, &longer).status, 413);

    let gzipped = [("content-encoding", "gzip")];
    assert_eq!(http(&server, "POST", V3, &gzipped, &gzip(&line)).unwrap().status, 204);
    assert_eq!(http(&server, "POST", V3, &gzipped, &gzip(&longer)).unwrap().status, 500);
}

#[test]
fn without_accept_partial_a_bad_line_leaves_nothing_behind() {
    let server = DevServer::start().unwrap();
    for path in [V2, ALL_OR_NOTHING] {
        assert_eq!(post(&server, path, "m f=1 1\nbad").status, 400);
        assert_eq!(server.tables("db"), Vec::<String>::new());
        let ticket = json!({"database": "db", "sql_query": "SELECT 1"}).to_string();
        let answer = support::get(&server, ticket, &[]);
        assert!(answer.code().1.ends_with("database not found: db"), "{:?}", answer.code());
    }
    // With it the other lines are there, the database in any case.
    assert_eq!(post(&server, V3, "m f=1 1\nbad").status, 400);
    assert_eq!(server.rows("db", "m"), 1);
    assert_eq!(post(&server, "/api/v3/write_lp?db=empty", "# nothing\n").status, 400);
    sql(&server, "empty", "SELECT 1");
}

#[test]
fn what_is_said_about_bad_lines() {
    let server = DevServer::start().unwrap();
    write(&server, "db", "m,t=a f=1 1");
    let long = "x".repeat(64 * 1024 + 1);
    for (line, message) in [
        ("m,time=a f=1", "'time' is a reserved column"),
        ("m time=1", "'time' is a reserved column"),
        ("m __chunk_order=1", "'__chunk_order' is a reserved column"),
        ("m f=1,f=2", "invalid line protocol - multiple instances of 'f' field found"),
        (
            "m,x=1 x=1",
            "invalid column type for column 'x', expected iox::column_type::tag, got \
             iox::column_type::field::float",
        ),
        (
            "m,a\u{1}=1 f=1",
            "invalid configuration provided: tag key cannot contain control characters",
        ),
        (
            "m a\u{85}=1",
            "invalid configuration provided: field key cannot contain control characters",
        ),
        (
            "m f=1i",
            "invalid column type for column 'f', expected iox::column_type::field::float, got iox::column_type::field::integer",
        ),
        ("m i=9223372036854775808i", "Unable to parse integer value '9223372036854775808'"),
        ("m,t f=1", "Tag Set Malformed"),
        (",t=1 f=1", "Invalid measurement was provided"),
        (
            r"m,t=a\\ f=1",
            "Measurements, tag keys and values, and field keys may not end with a backslash",
        ),
        (&format!("m s=\"{long}\""), "String is greater than 64KB"),
        (&format!("m,t={long} f=1"), "String is greater than 64KB"),
    ] {
        let answer = post(&server, V3, line);
        assert_eq!(answer.status, 400, "{line}");
        assert_eq!(line_errors(answer.text())[0].0, message);
    }
    assert_eq!(server.rows("db", "m"), 1);
}

#[test]
fn lines_are_counted_and_shown_as_the_real_server_does() {
    let server = DevServer::start().unwrap();
    // Blank lines, comments and newlines in strings are not counted, but they are shown.
    let body = "\n# comment\nm s=\"a\nb\" 1\nbad 2\nm f=1 3\nm,tag=value\\ with\\ spaces f=\"s\" 4";
    let shown: Vec<_> = line_errors(post(&server, V3, body).text())
        .into_iter()
        .map(|(_, number, line)| (number, line))
        .collect();
    assert_eq!(shown, [(2, "# comment".to_owned()), (4, "m,tag=value\\ with\\ s".to_owned())]);
    // After a schema error the line is written anew, without the quotes.
    let errors = line_errors(post(&server, V3, "\nm f=\"s\" 2").text());
    assert_eq!((errors[0].1, errors[0].2.as_str()), (1, "m f=s 2"));
}

#[test]
fn a_cut_in_a_character_is_moved_or_closes_the_connection() {
    let body = "m f=1 1\nbad456789012345678é0123456789";
    let server = DevServer::start().unwrap();
    let errors = line_errors(post(&server, V3, body).text());
    assert_eq!(errors[0].2, "bad456789012345678é");
    let errors = line_errors(post(&server, V3, body.replace("bad", "bad3")).text());
    assert_eq!(errors[0].2, "bad3456789012345678");

    let server = DevServer::builder().panics_like_3_6(true).start().unwrap();
    assert!(http(&server, "POST", V3, &[], body.replace("bad", "bad3").as_bytes()).is_none());
    assert_eq!(server.rows("db", "m"), 1);
    assert_eq!(post(&server, V2, body.replace("bad", "bad3")).status, 400);
}

#[test]
fn too_many_columns_are_422() {
    let server = DevServer::start().unwrap();
    let fields: Vec<String> = (0..500).map(|n| format!("f{n}=1")).collect();
    let answer = post(&server, V3, format!("m {}", fields.join(",")));
    assert_eq!(answer.status, 422);
    assert_eq!(
        line_errors(answer.text())[0].0,
        "Update to schema would exceed number of columns per table limit of 500 columns"
    );
    assert_eq!(post(&server, V3, format!("n {}", fields[..499].join(","))).status, 204);
    let tags: Vec<String> = (0..257).map(|n| format!(",t{n}=1")).collect();
    let answer = post(&server, V3, format!("o{} f=1", tags.concat()));
    assert_eq!(answer.status, 422);
    assert!(line_errors(answer.text())[0].0.contains("tag columns per table limit of 256"));
}

#[test]
fn many_lines_take_time_in_proportion() {
    let server = DevServer::start().unwrap();
    let body = |from: usize| -> String {
        (from..from + 50_000).map(|n| format!("m,s=s{} f={n},g={n}i {n}\n", n % 100)).collect()
    };
    for from in [0, 50_000] {
        write(&server, "db", &body(from));
    }
    assert_eq!(server.rows("db", "m"), 100_000);
    let messages = sql(&server, "db", "SELECT * FROM m ORDER BY time");
    let rows: Vec<usize> = messages.batches().iter().map(|batch| batch.num_rows()).collect();
    assert_eq!(rows, [vec![8192; 12], vec![1696]].concat());
}
