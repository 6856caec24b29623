//! What `write_file` can be told, and what its errors and reports say.
#![cfg(all(feature = "csv", feature = "json"))]

use std::cell::RefCell;
use std::path::PathBuf;

use crate::support::http::{Reply, Server};
use influxdb3_blocking::{
    Client, ColumnType, Error, ErrorKind, FileReport, Precision, Progress, Result, WriteFile,
};

/// Writes a file of this name and text; what arrived, and what came of it.
pub(crate) fn written_to(
    server: &Server,
    name: &str,
    bytes: &[u8],
    set: impl FnOnce(WriteFile<'_>) -> WriteFile<'_>,
) -> (String, Result<FileReport>) {
    let folder = tempfile(name);
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    let client = Client::builder()
        .host(server.url())
        .database("db")
        .precision(Precision::Second)
        .max_request_bytes(20_000)
        .build()
        .unwrap();
    let before = server.requests().len();
    let result = set(client.write_file(&path).measurement("m")).send();
    std::fs::remove_dir_all(folder).unwrap();
    let text = server.requests()[before..].iter().map(|request| request.text()).collect();
    (text, result)
}

fn tempfile(name: &str) -> PathBuf {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!(
        "files-options-{}-{number}-{}",
        std::process::id(),
        name.len()
    ));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

pub(crate) fn lines(
    name: &str,
    text: &str,
    set: impl FnOnce(WriteFile<'_>) -> WriteFile<'_>,
) -> String {
    let (text, result) = written_to(&Server::accepting(), name, text.as_bytes(), set);
    result.unwrap();
    text
}

fn csv(text: &str) -> String {
    lines("a.csv", text, |file| file)
}

pub(crate) fn refused(
    name: &str,
    text: &str,
    set: impl FnOnce(WriteFile<'_>) -> WriteFile<'_>,
) -> Error {
    let (sent, result) = written_to(&Server::accepting(), name, text.as_bytes(), set);
    let error = result.unwrap_err();
    let arrived = influxdb_line_protocol::parse_lines(&sent).count();
    assert_eq!(error.lines_written(), arrived);
    error
}

#[test]
fn types_are_those_of_the_whole_file_however_late_they_show() {
    let mut text = String::from("time,late,never,huge\n");
    let mut expected = String::new();
    for n in 0..5000 {
        let (late, huge) = if n == 4999 { ("2.5", "18446744073709551616") } else { ("2", "1") };
        text.push_str(&format!("{n},{late},7,{huge}\n"));
        expected.push_str(&format!("m late={late},never=7i,huge=\"{huge}\" {n}\n"));
    }
    assert_eq!(csv(&text), expected);
    let error = refused("a.csv", &text, |file| file.infer_rows(1000));
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    assert!(
        error.to_string().contains("a.csv: line 5001, column \"late\": \"2.5\" is not an integer"),
        "{error}"
    );
    assert_eq!((error.lines_written(), error.resume_line()), (4999, Some(4999)));
    assert!(error.to_string().contains("resume_from_line(4999)"), "{error}");
}

#[test]
fn types_can_be_chosen() {
    let text = "time,a,b,c\n1,1,2,true\n";
    fn chosen(file: WriteFile<'_>) -> WriteFile<'_> {
        file.column_type("a", ColumnType::Float)
            .column_type("b", ColumnType::Unsigned)
            .column_type("c", ColumnType::Text)
    }
    assert_eq!(lines("a.csv", text, chosen), "m a=1,b=2u,c=\"true\" 1\n");
    let json = r#"[{"time":1,"a":1,"b":2,"c":true}]"#;
    assert_eq!(lines("a.json", json, chosen), "m a=1,b=2u,c=\"true\" 1\n");
    for (name, text) in [("a.csv", "time,f\n1,2\n"), ("a.json", r#"{"time":1,"f":2}"#)] {
        let error = refused(name, text, |file| file.column_type("x", ColumnType::Text));
        assert!(
            error.kind() == ErrorKind::Config && error.to_string().contains("\"x\""),
            "{error}"
        );
    }
}

#[test]
fn csv_is_read_as_it_is_meant() {
    assert_eq!(
        csv("\u{feff}time,f\r\n1,\"a\r\nb\"\r\n\r\n2,\"c\"\"d\""),
        "m f=\"a\r\nb\" 1\nm f=\"c\\\"d\" 2\n"
    );
    assert_eq!(
        csv("time,a,b\n1,,x\n2,1.5,\n3,,\"\"\n4,NA,y\n5,,\n"),
        "m b=\"x\" 1\nm a=1.5 2\nm b=\"\" 3\nm b=\"y\" 4\n"
    );
    assert_eq!(csv("time,f\n1,nan\n2,-inf\n3,1e400\n4,1e3\n5,.5\n"), "m f=1000.0 4\nm f=0.5 5\n");
    assert_eq!(csv("time,f\n"), "");
    assert_eq!(csv(""), "");
    assert_eq!(
        csv("time,f\n1,18446744073709551615\n2,1\n"),
        "m f=18446744073709551615u 1\nm f=1u 2\n"
    );
    assert_eq!(csv("time,f\n1,18446744073709551616\n"), "m f=\"18446744073709551616\" 1\n");
    fn options(file: WriteFile<'_>) -> WriteFile<'_> {
        file.delimiter(b'\t').column_names(["time", "t", "f"]).tags(["t"]).null_values(["?", "-"])
    }
    assert_eq!(
        lines("a.csv", "1\ta,b\t3\n2\t?\t4\n3\tx\t-\n", options),
        "m,t=a\\,b f=3i 1\nm f=4i 2\n"
    );
}

#[test]
fn times_are_integers_decimals_and_dates() {
    let text = "time,f\n1641024000,1\n1641024000.9,2\n2022-01-01T09:00:00+01:00,3\n2022-01-01 08:00,4\n2022/01/01,5\n";
    assert_eq!(
        csv(text),
        "m f=1i 1641024000\nm f=2i 1641024000\nm f=3i 1641024000\nm f=4i 1641024000\nm f=5i 1640995200\n"
    );
    fn unit(file: WriteFile<'_>) -> WriteFile<'_> {
        file.date_unit(Precision::Millisecond).timestamp_column("at")
    }
    assert_eq!(lines("a.csv", "at,f\n1500,1\n", unit), "m f=1i 1\n");
    assert_eq!(
        lines("a.json", r#"[{"at":1500,"f":1},{"at":2500.0,"f":2}]"#, unit),
        "m f=1i 1\nm f=2i 2\n"
    );
    for (text, words) in [
        ("time,f\n,1\n", "line 2, column \"time\": there is no timestamp"),
        ("time,f\n1,1\nsoon,1\n", "line 3, column \"time\": \"soon\" is no time"),
        ("time,f\n99999999999,1\n", "1677 to 2262"),
        ("f,g\n1,1\n", "the timestamp column \"time\" is not there; the columns are \"f\", \"g\""),
    ] {
        let error = refused("a.csv", text, |file| file);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn what_is_wrong_with_csv_is_named_by_its_line() {
    for (text, words) in [
        ("time,f\n1,1\n2,1,3\n", "line 3: there are 3 cells, but the first row of the file has 2"),
        ("time,f\n1,\"a\nb\"\n2\n", "line 4: there are 1 cells"),
        ("time,f\n1,\"a\"b\n", "line 2: there is something between"),
        ("time,f\n1,\"a\n2,b\n", "line 2: a quote is opened and never closed"),
        ("time,f,f\n1,2,3\n", "two columns have the name \"f\""),
        ("time,a\tb\n1,2\n", "the field key"),
    ] {
        let error = refused("a.csv", text, |file| file);
        assert!(error.to_string().contains(words), "{error}");
    }
    let (_, result) =
        written_to(&Server::accepting(), "a.csv", b"time,f\n1,a\n2,\xff\n", |file| file);
    assert!(result.unwrap_err().to_string().contains("line 3: it is not UTF-8"));
}

#[test]
fn json_is_read_in_all_its_shapes() {
    let expected = "m,t=x a=1i 1\nm,t=y b=2.5 2\n";
    fn tagged(file: WriteFile<'_>) -> WriteFile<'_> {
        file.tags(["t"])
    }
    for text in [
        r#"[{"time":1,"t":"x","a":1},{"t":"y","b":2.5,"time":2}]"#,
        "{\"time\":1,\"t\":\"x\",\"a\":1}\n{\"b\":2.5,\"a\":null,\"time\":2,\"t\":\"y\"}\n",
        "{\n \"time\":1,\"t\":\"x\",\"a\":1\n}{\"b\":2.5,\"time\":2,\"t\":\"y\"}",
        r#"{"columns":["time","t","a","b"],"index":[0,1],"data":[[1,"x",1,null],[2,"y",null,2.5]]}"#,
        r#"{"time":{"0":1,"1":2},"t":{"0":"x","1":"y"},"a":{"0":1},"b":{"1":2.5,"0":null}}"#,
    ] {
        assert_eq!(lines("a.json", text, tagged), expected, "{text}");
    }
    let mixed =
        "[{\"time\":1,\"f\":1},{\"time\":2,\"f\":1.5},{\"time\":3,\"f\":18446744073709551615}]";
    assert_eq!(
        lines("a.json", mixed, |file| file),
        "m f=1 1\nm f=1.5 2\nm f=18446744073709551615 3\n"
    );
    assert_eq!(lines("a.jsonl", "", |file| file), "");
    assert_eq!(lines("a.json", "[]", |file| file), "");
    for (text, words) in [
        (
            "[{\"time\":1,\"f\":1},\n{\"time\":2,\"f\":[1]}]",
            "line 2: key \"f\": the value is nested",
        ),
        (
            "[{\"time\":1,\"f\":1},{\"time\":2,\"f\":\"x\"}]",
            "the values of the key \"f\" are of several types",
        ),
        ("[{\"time\":1,\"f\":1},\n\n{\"f\":1}]", "line 3: key \"time\": there is no timestamp"),
        ("[{\"time\":1,\"f\":1}\n{\"time\":2,\"f\":1}]", "line 2: a comma is missing"),
        ("[{\"time\":1,\"f\":1},{\"time\":2,\"f\":1]", "the end of the file is missing"),
        ("[{\"time\":1,\"f\":1},{\"time\":2 \"f\":1}]", "line 1: it is no JSON"),
        ("{\"columns\":[\"time\",\"f\"],\"data\":[[1,2],[3]]}", "row 2 of \"data\""),
    ] {
        let error = refused("a.json", text, |file| file);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn options_of_other_formats_are_refused() {
    let error = refused("a.json", "[]", |file| file.delimiter(b';'));
    assert!(
        error.kind() == ErrorKind::Config
            && error.to_string().contains("delimiter means nothing for JSON"),
        "{error}"
    );
    #[cfg(feature = "parquet")]
    {
        let error = refused("a.parquet", "", |file| file.infer_rows(1));
        assert!(error.to_string().contains("infer_rows means nothing for Parquet"), "{error}");
    }
}

#[cfg(feature = "gzip")]
#[test]
fn packed_files_are_unpacked_and_damage_in_them_is_told() {
    let gzip = |text: &str| {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    };
    let server = Server::accepting();
    // Several members are one file.
    let packed = [gzip("time,f\n1,2\n"), gzip("2,3\n")].concat();
    let (text, result) = written_to(&server, "a.CSV.gz", &packed, |file| file);
    assert_eq!((text.as_str(), result.unwrap().lines), ("m f=2i 1\nm f=3i 2\n", 2));
    let (text, _) = written_to(&server, "a.jsonl.gz", &gzip("{\"time\":1,\"f\":2}"), |file| file);
    assert_eq!(text, "m f=2i 1\n");
    let (_, result) = written_to(&server, "a.csv.gz", &packed[..packed.len() - 6], |file| file);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::File);
}

/// Rows of which each takes one line of a few bytes, in several requests.
fn many(rows: usize) -> String {
    std::iter::once("time,f\n".to_owned()).chain((0..rows).map(|n| format!("{n},{n}\n"))).collect()
}

#[test]
fn progress_and_report_are_exact() {
    let progress: RefCell<Vec<Progress>> = RefCell::default();
    let text = many(10_000) + "10000,\n";
    let server = Server::accepting();
    let (sent, result) = written_to(&server, "a.csv", text.as_bytes(), |file| file);
    let report = result.unwrap();
    assert_eq!(report.lines, 10_000);
    assert_eq!(report.bytes, sent.len());
    assert_eq!(report.batches, server.requests().len());
    assert_eq!(report.rows_without_fields, 1);
    let folder = tempfile("progress");
    let path = folder.join("a.csv");
    std::fs::write(&path, &text).unwrap();
    let client = Client::builder()
        .host(server.url())
        .database("db")
        .max_request_bytes(20_000)
        .build()
        .unwrap();
    client
        .write_file(&path)
        .measurement("m")
        .progress(|p| progress.borrow_mut().push(*p))
        .send()
        .unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    let progress = progress.into_inner();
    assert!(progress.len() > 5);
    let last = progress.last().unwrap();
    assert_eq!((last.lines_written, last.bytes_read), (10_000, text.len() as u64));
    assert!(progress.windows(2).all(|pair| pair[0].lines_written < pair[1].lines_written
        && pair[0].bytes_read <= pair[1].bytes_read));
    assert!(
        progress
            .iter()
            .all(|p| p.bytes_total == text.len() as u64 && p.bytes_read <= p.bytes_total)
    );
    assert!(server.requests().iter().all(|request| request.body.len() <= 20_000));
}

#[test]
fn a_write_that_failed_goes_on_where_it_stopped() {
    let text = many(10_000);
    let server = Server::start(
        |number, _| if number == 3 { Reply::status(503) } else { Reply::status(204) },
    );
    let (sent, result) = written_to(&server, "a.csv", text.as_bytes(), |file| file);
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(503)));
    assert_eq!(server.requests().len(), 4, "nothing is sent after what failed");
    let failed = server.requests()[3].text();
    let written = error.lines_written();
    assert_eq!(written + failed.lines().count(), sent.lines().count());
    assert_eq!(error.resume_line(), Some(written));
    assert_eq!(error.unsent()[0].line_protocol(), failed.as_bytes());
    let (rest, result) =
        written_to(&server, "a.csv", text.as_bytes(), |file| file.resume_from_line(written));
    assert_eq!(result.unwrap().lines, 10_000 - written);
    let all: String =
        server.requests()[..3].iter().map(|request| request.text()).collect::<String>() + &rest;
    let expected: String = (0..10_000).map(|n| format!("m f={n}i {n}\n")).collect();
    assert_eq!(all, expected);
    let (rest, result) =
        written_to(&server, "a.csv", text.as_bytes(), |file| file.resume_from_line(20_000));
    let report = result.unwrap();
    assert_eq!((rest.as_str(), report.lines, report.bytes, report.batches), ("", 0, 0, 0));
}

#[test]
fn refused_lines_do_not_cost_the_others() {
    let body = r#"{"error":"partial write of line protocol occurred","data":[{"original_line":"m f=1","line_number":2,"error_message":"bad type"}]}"#;
    let server =
        Server::start(
            move |number, _| if number == 1 { Reply::text(400, body) } else { Reply::status(204) },
        );
    let text = many(10_000);
    let (sent, result) =
        written_to(&server, "a.csv", text.as_bytes(), |file| file.use_v2_api(false));
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PartialWrite);
    assert_eq!(sent.lines().count(), 10_000, "the rest was written");
    assert_eq!(error.lines_written(), 9_999);
    assert_eq!(error.resume_line(), None);
    let first = server.requests()[0].text().lines().count();
    let [line_error] = error.line_errors() else { panic!("{error:?}") };
    assert_eq!(line_error.line_number(), Some(first + 2));
    assert_eq!(line_error.index(), Some(first + 1), "the row of the file, from 0");
    assert_eq!(line_error.line(), Some(format!("m f={0}i {0}", first + 1).as_str()));
}

#[test]
fn settings_of_the_request_hold_for_files() {
    let server = Server::accepting();
    written_to(&server, "a.csv", b"time,f\n1,2\n", |file| {
        file.database("other")
            .organization("org")
            .precision(Precision::Microsecond)
            .header("x-a", "b")
    })
    .1
    .unwrap();
    written_to(&server, "a.csv", b"time,f\n1,2\n", |file| {
        file.use_v2_api(false)
            .no_sync(true)
            .accept_partial(false)
            .timeout(std::time::Duration::from_secs(9))
    })
    .1
    .unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].path, "/api/v2/write?bucket=other&org=org&precision=us");
    assert_eq!(requests[0].header("x-a"), Some("b"));
    assert!(
        requests[1].path.ends_with("accept_partial=false&no_sync=true"),
        "{}",
        requests[1].path
    );
}
