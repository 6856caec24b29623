//! CSV and JSON as people have them: what programs put around the rows, and rows that are not as they should be.
#![cfg(all(feature = "csv", feature = "json"))]

use super::options::{lines, refused, written_to};
use crate::support::http::Server;
use influxdb3_blocking::{ErrorKind, Precision, Timestamp, WriteFile};

fn csv(text: &str) -> String {
    lines("a.csv", text, |file| file)
}

#[test]
fn rows_before_bytes_that_are_not_utf8_are_written() {
    let server = Server::accepting();
    let bytes = b"time,f\n1,a\n2,b\n3,caf\xe9\n4,d\n";
    let (text, result) = written_to(&server, "a.csv", bytes, |file| file);
    assert_eq!(text, "m f=\"a\" 1\nm f=\"b\" 2\n");
    let error = result.unwrap_err();
    assert_eq!(
        (error.kind(), error.lines_written(), error.resume_line()),
        (ErrorKind::File, 2, Some(2))
    );
    let error = error.to_string();
    for words in ["line 4", "byte 0xE9 at place 6", "Latin-1, where it is 'é'", "iconv -f LATIN1"]
    {
        assert!(error.contains(words), "{error}");
    }
    let (text, result) = written_to(&server, "a.csv", bytes, |file| file.skip_bad_rows(true));
    assert_eq!(text, "m f=\"a\" 1\nm f=\"b\" 2\nm f=\"d\" 4\n");
    assert_eq!(result.unwrap().skipped_rows[0].line, 4);
    let json = b"{\"time\":1,\"f\":1}\n{\"time\":2,\"g\":\"\x80\"}\n{\"time\":3,\"f\":3}\n";
    let (text, result) = written_to(&server, "a.json", json, |file| file);
    assert_eq!(text, "m f=1i 1\n");
    assert!(result.unwrap_err().to_string().contains("Windows-1252, where it is '€'"));
}

#[test]
fn utf16_is_named() {
    let wide = |text: &str, little: bool| -> Vec<u8> {
        let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    };
    for (name, text) in [("a.csv", "time,f\n1,2\n"), ("a.json", "[{\"time\":1,\"f\":2}]")] {
        for mark in ["\u{feff}", ""] {
            for (little, encoding) in [(true, "UTF-16LE"), (false, "UTF-16BE")] {
                let bytes = wide(&format!("{mark}{text}"), little);
                let error =
                    written_to(&Server::accepting(), name, &bytes, |file| file).1.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::File);
                assert!(error.to_string().contains(&format!("looks like {encoding}")), "{error}");
            }
        }
    }
}

#[test]
fn blanks_before_a_quote_do_not_split_its_cell() {
    let text = "time, \"room, x\", temp\n1, \"a, b\" , 2\n2,\t\"c \"\"d\"\"\", 3\n";
    assert_eq!(
        lines("a.csv", text, |file| file.tags(["room, x"])),
        "m,room\\,\\ x=a\\,\\ b \\ temp=2i 1\nm,room\\,\\ x=c\\ \"d\" \\ temp=3i 2\n"
    );
    let trimmed = lines("a.csv", "time, t , f\n1, a , \" b \"\n2,  ,c \n", |file| {
        file.tags(["t"]).trim(true)
    });
    assert_eq!(trimmed, "m,t=a f=\" b \" 1\nm f=\"c\" 2\n");
    let error = refused("a.csv", "time,f\n1, \"a\" b\n", |file| file).to_string();
    assert!(error.contains("line 2: there is something between a closing quote"), "{error}");
    // Where blanks stand between cells, they are no part of any.
    let tabs = lines("a.csv", "time\tf\tg\n1\t\"a\tb\"\t2\n", |file| file.delimiter(b'\t'));
    assert_eq!(tabs, "m f=\"a\tb\",g=2i 1\n");
}

#[test]
fn lines_end_with_a_carriage_return_if_with_nothing_else() {
    assert_eq!(csv("time,f\r1,2\r\r2,3\r"), "m f=2i 1\nm f=3i 2\n");
    assert_eq!(csv("time,f\r1,\"a\rb\"\r2,c"), "m f=\"a\rb\" 1\nm f=\"c\" 2\n");
    let error = refused("a.csv", "time,f\r1,2\r3\r", |file| file).to_string();
    assert!(error.contains("line 3: there are 1 cells"), "{error}");
}

#[test]
fn lines_of_blanks_and_rows_of_empty_cells_are_no_rows() {
    assert_eq!(csv("time,f\n \n1,2\n  \t\n\n2,3\n   "), "m f=2i 1\nm f=3i 2\n");
    assert_eq!(csv("time,temp,x\n1,20.5,a\n,,\n,,\n"), "m temp=20.5,x=\"a\" 1\n");
    assert_eq!(csv("time,f\n,,,\n1,2\n,\n"), "m f=2i 1\n");
    let error = refused("a.csv", "time,f,g\n1,2,3\n,\"\",\n", |file| file).to_string();
    assert!(error.contains("line 3, column \"time\": there is no timestamp"), "{error}");
}

#[test]
fn what_stands_around_rows_is_left_out_when_asked_for() {
    let preamble = "sep=;\ndescription;some text\n\ntime;high;low\n1;0;14\n";
    assert_eq!(lines("a.csv", preamble, |file| file.skip_lines(3)), "m high=0i,low=14i 1\n");
    let error = refused("a.csv", preamble, |file| file).to_string();
    assert!(error.contains("\"description\", \"some text\""), "{error}");
    assert_eq!(csv("SEP=;\r\ntime;f\r\n1;2\r\n"), "m f=2i 1\n");
    assert_eq!(csv("\u{feff}sep=\t\ntime\tf\n1\t2\n"), "m f=2i 1\n");
    // A delimiter that was asked for counts.
    assert_eq!(lines("a.csv", "sep=;\ntime|f\n1|2\n", |file| file.delimiter(b'|')), "m f=2i 1\n");
    let latin = b"# Stra\xdfe\ntime,f\n# \xe9\n1,a\n#3,4\n5,#6\n#";
    let (text, result) =
        written_to(&Server::accepting(), "a.csv", latin, |file| file.comment(b'#'));
    result.unwrap();
    assert_eq!(text, "m f=\"a\" 1\nm f=\"#6\" 5\n");
}

#[test]
fn comments_count_as_lines_and_cannot_be_what_means_something_else() {
    let text = "#a\n#b\ntime,f\n#c\n1,2\n\n#d\n2\n";
    let error = refused("a.csv", text, |file| file.comment(b'#')).to_string();
    assert!(error.contains("line 8: there are 1 cells"), "{error}");
    for byte in [b'"', b'\n', 0xe9, b','] {
        let error = refused("a.csv", text, |file| file.comment(byte));
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}

#[test]
fn decimal_commas_are_read_when_asked_for_and_hinted_at_otherwise() {
    let text = "time;temp;n;place\n2019-07-09 00:11:00;21,5;1;a,b\n2019-07-09 00:12:00;-22,25;2;c.d\n2019-07-09 00:13:00;;3;e\n";
    fn comma(file: WriteFile<'_>) -> WriteFile<'_> {
        file.delimiter(b';').decimal_comma(true)
    }
    assert_eq!(
        lines("a.csv", text, comma),
        "m temp=21.5,n=1i,place=\"a,b\" 1562631060\nm temp=-22.25,n=2i,place=\"c.d\" 1562631120\nm n=3i,place=\"e\" 1562631180\n"
    );
    let error = refused("a.csv", text, |file| file.delimiter(b';')).to_string();
    assert!(error.contains("line 2, column \"temp\": \"21,5\" is a number with a decimal comma: say decimal_comma(true)"), "{error}");
    let error = refused("a.csv", text, |file| file).to_string();
    assert!(error.contains("is .delimiter(b';') missing?"), "{error}");
    let error = refused("a.csv", &text.replace("21,5", "21.5"), comma).to_string();
    assert!(
        error.contains("line 2, column \"temp\": \"21.5\" is a number with a decimal point"),
        "{error}"
    );
    let points = text.replace("21,5", "21.5").replace("-22,25", "22.25");
    let error = refused("a.csv", &points, comma).to_string();
    assert!(
        error.contains("\"21.5\" is a number with a decimal point, and decimal_comma is on"),
        "{error}"
    );
}

#[test]
fn ragged_rows_are_filled_when_asked_for() {
    let text = "time,a,b\n1,2\n2,3,4\n3,4,5,,\n4\n";
    let ragged = lines("a.csv", text, |file| file.ragged_rows(true));
    assert_eq!(ragged, "m a=2i 1\nm a=3i,b=4i 2\nm a=4i,b=5i 3\n");
    let error = refused("a.csv", text, |file| file).to_string();
    assert!(
        error.contains("line 2: there are 2 cells") && error.contains("ragged_rows(true)"),
        "{error}"
    );
    let error = refused("a.csv", "time,a\n1,2,3\n", |file| file.ragged_rows(true)).to_string();
    assert!(error.contains("line 2: there are 3 cells"), "{error}");
}

#[test]
fn columns_without_names_are_left_out_if_nothing_is_lost() {
    let server = Server::accepting();
    let pandas = b",time,temp\n0,2022-01-01 00:00:00+00:00,20.5\n1,2022-01-01 00:10:00+00:00,\n";
    let (text, result) = written_to(&server, "a.csv", pandas, |file| file);
    assert_eq!(text, "m temp=20.5 1640995200\n");
    assert_eq!(result.unwrap().unnamed_column, Some(1));
    let trailing = "Version,time,Host,Loss%, ,Last,\nX.1,1593667013,example.org,0.00,0,21.86\nX.1,1593667014,example.net,0.00,0,32.83,\n";
    assert_eq!(
        lines("a.csv", trailing, |file| file.tags(["Host"])),
        "m,Host=example.org Version=\"X.1\",Loss%=0.00,\\ =0i,Last=21.86 1593667013\n\
         m,Host=example.net Version=\"X.1\",Loss%=0.00,\\ =0i,Last=32.83 1593667014\n"
    );
    let error = refused("a.csv", "time,f,\n1,2,3\n", |file| file).to_string();
    assert!(
        error.contains("line 2: the cell 3 is not empty, but its column has no name"),
        "{error}"
    );
}

#[test]
fn bad_rows_are_left_out_and_listed_when_asked_for() {
    let server = Server::accepting();
    let text = "time,f,g\n1,1,a\nsoon,2,b\n3,3\n4,4,\"d\"x\n5,5,e\n,6,f\n7,,\n8,\"8,h\n";
    let (lines, result) =
        written_to(&server, "a.csv", text.as_bytes(), |file| file.skip_bad_rows(true));
    assert_eq!(lines, "m f=1i,g=\"a\" 1\nm f=5i,g=\"e\" 5\n");
    let report = result.unwrap();
    let skipped: Vec<u64> = report.skipped_rows.iter().map(|row| row.line).collect();
    assert_eq!((report.rows_skipped, skipped), (5, vec![3, 4, 5, 7, 9]));
    assert!(
        report.skipped_rows[0].reason.contains("line 3, column \"time\": \"soon\" is no time"),
        "{report:?}"
    );
    assert_eq!(report.rows_without_fields, 1);
    let json = "{\"time\":1,\"f\":1}\n{\"time\":\"x\",\"f\":2}\n{\"time\":3,\"f\":[3]}\n{\"time\":4 \"f\":4}\n{\"time\":5,\"f\":5}\n";
    let (lines, result) =
        written_to(&server, "a.json", json.as_bytes(), |file| file.skip_bad_rows(true));
    assert_eq!(lines, "m f=1i 1\nm f=5i 5\n");
    let report = result.unwrap();
    let skipped: Vec<u64> = report.skipped_rows.iter().map(|row| row.line).collect();
    assert_eq!((report.rows_skipped, skipped), (3, vec![2, 3, 4]));
}

#[test]
fn a_write_that_stopped_at_a_bad_row_goes_on_behind_it() {
    let server = Server::accepting();
    let text = "time,f\n1,1\n2,2\nsoon,3\n4,4\n";
    let (_, result) = written_to(&server, "a.csv", text.as_bytes(), |file| file);
    let at = result.unwrap_err().resume_line().unwrap();
    assert_eq!(at, 2);
    let (rest, result) = written_to(&server, "a.csv", text.as_bytes(), |file| {
        file.resume_from_line(at).skip_bad_rows(true)
    });
    assert_eq!(rest, "m f=4i 4\n");
    let report = result.unwrap();
    assert_eq!((report.lines, report.rows_skipped), (1, 1));
}

#[test]
fn refused_lines_are_traced_to_rows_behind_bad_ones() {
    let body = r#"{"error":"partial write of line protocol occurred","data":[{"original_line":"m f=5i","line_number":2,"error_message":"bad type"}]}"#;
    let server = Server::start(move |_, _| crate::support::http::Reply::text(400, body));
    for (name, text) in [
        ("a.csv", "time,f\n1,1\nsoon,3\n5,5\n6,6\n"),
        (
            "a.json",
            "{\"time\":1,\"f\":1}{\"time\":\"soon\",\"f\":3}{\"time\":5,\"f\":5}{\"time\":6,\"f\":6}",
        ),
    ] {
        let (_, result) = written_to(&server, name, text.as_bytes(), |file| {
            file.use_v2_api(false).skip_bad_rows(true)
        });
        assert_eq!(result.unwrap_err().line_errors()[0].index(), Some(2), "{name}");
    }
}

#[test]
fn times_in_a_format_of_their_own_and_rows_without_one() {
    let text = "time,f\n01.02.2022 08:00,1\n1.2.2022 8:01,2\n";
    let found = lines("a.csv", text, |file| file.time_format("%d.%m.%Y %H:%M"));
    assert_eq!(found, "m f=1i 1643702400\nm f=2i 1643702460\n");
    let error = refused("a.csv", text, |file| file.time_format("%Y-%m-%d")).to_string();
    assert!(
        error.contains("line 2, column \"time\": \"01.02.2022 08:00\" is no time of the format"),
        "{error}"
    );
    let error = refused("a.csv", text, |file| file.time_format("%H:%M"));
    assert_eq!(error.kind(), ErrorKind::Config);
    let now = Timestamp::seconds(7);
    let timeless = "f,g\n1,a\n2,b\n";
    assert_eq!(
        lines("a.csv", timeless, |file| file.default_time(now)),
        "m f=1i,g=\"a\" 7\nm f=2i,g=\"b\" 7\n"
    );
    assert_eq!(
        lines("a.csv", "time,f\n,1\n2,2\n", |file| file.default_time(now)),
        "m f=1i 7\nm f=2i 2\n"
    );
    assert_eq!(
        lines("a.json", "[{\"f\":1},{\"f\":2,\"time\":3}]", |file| file.default_time(now)),
        "m f=1i 7\nm f=2i 3\n"
    );
    let error = refused("a.csv", timeless, |file| file.default_time(now).timestamp_column("at"))
        .to_string();
    assert!(error.contains("the timestamp column \"at\" is not there"), "{error}");
}

#[test]
fn rows_within_a_document_and_objects_within_rows() {
    let document = "{\"status\":\"ok\",\n\"data\":{\"items\":[\n{\"time\":1,\"main\":{\"temp\":20.50,\"wind\":{\"speed\":3}}},\n{\"time\":2,\"main\":{\"temp\":21,\"wind\":{}}}]}}";
    fn nested(file: WriteFile<'_>) -> WriteFile<'_> {
        file.json_path("data.items").flatten(".")
    }
    assert_eq!(
        lines("a.json", document, nested),
        "m main.temp=20.50,main.wind.speed=3i 1\nm main.temp=21 2\n"
    );
    assert_eq!(
        lines("a.json", document, |file| file.json_path("data.items.1").flatten("_")),
        "m main_temp=21i 2\n"
    );
    for (path, words) in [
        ("data.rows", "there is no \"rows\" at \"data\", but the keys \"items\""),
        ("x", "there is no \"x\" at the top, but the keys \"status\", \"data\""),
        ("data.items.7", "there is no \"7\" at \"data.items\", but an array"),
        ("status", "line 1: there is '\"' where an object should begin"),
    ] {
        let error = refused("a.json", document, |file| file.json_path(path)).to_string();
        assert!(error.contains(words), "{error}");
    }
    // Lines are those of the file.
    let error = refused("a.json", document, |file| file.json_path("data.items")).to_string();
    assert!(error.contains("line 3: key \"main\"") && error.contains("flatten(\".\")"), "{error}");
}

#[test]
fn values_that_are_objects_are_named_or_flattened() {
    let mongo = "{\"_id\":{\"$oid\":\"a1\"},\"time\":{\"$date\":\"2023-06-20T17:50:09.702Z\"},\"v\":{\"$numberDouble\":\"1.5\"}}\n{\"_id\":{\"$oid\":\"a2\"},\"time\":{\"$date\":\"2023-06-20T17:50:10.702Z\"},\"v\":{\"$numberDouble\":\"2.5\"}}\n";
    let error = refused("a.jsonl", mongo, |file| file).to_string();
    assert!(
        error.contains("the value is nested (an object)") && error.contains("flatten"),
        "{error}"
    );
    for text in [mongo, mongo.lines().next().unwrap()] {
        let found = lines("a.jsonl", text, |file| {
            file.flatten(".")
                .timestamp_column("time.$date")
                .precision(Precision::Millisecond)
                .tags(["_id.$oid"])
                .column_type("v.$numberDouble", influxdb3_blocking::ColumnType::Float)
        });
        assert!(found.starts_with("m,_id.$oid=a1 v.$numberDouble=1.5 1687283409702\n"), "{found}");
        assert_eq!(found.lines().count(), text.lines().count());
    }
}

#[test]
fn tables_of_pandas_are_read_in_every_orientation() {
    let expected = "m,t=x f=1.5 1\nm,t=y f=2.0 2\n";
    for text in [
        r#"[{"time":1,"t":"x","f":1.5},{"time":2,"t":"y","f":2.0}]"#,
        r#"{"time":{"0":1,"1":2},"t":{"0":"x","1":"y"},"f":{"0":1.5,"1":2.0}}"#,
        r#"{"0":{"time":1,"t":"x","f":1.5},"1":{"time":2,"t":"y","f":2.0}}"#,
        r#"{"columns":["time","t","f"],"index":[0,1],"data":[[1,"x",1.5],[2,"y",2.0]]}"#,
        r#"{"schema":{"fields":[{"name":"index","type":"integer"}],"primaryKey":["index"],"pandas_version":"1.4.0"},"data":[{"index":0,"time":1,"t":"x","f":1.5},{"index":1,"time":2,"t":"y","f":2.0}]}"#,
    ] {
        assert_eq!(lines("a.json", text, |file| file.tags(["t"])), expected, "{text}");
    }
    // The index as the time.
    for text in [
        r#"{"f":{"1000":1.5,"2000":2.0}}"#,
        r#"{"1000":{"f":1.5},"2000":{"f":2.0}}"#,
        r#"{"columns":["f"],"index":[1000,2000],"data":[[1.5],[2.0]]}"#,
        r#"{"schema":{"primaryKey":["index"]},"data":[{"index":"1970-01-01T00:00:01Z","f":1.5},{"index":"1970-01-01T00:00:02Z","f":2.0}]}"#,
    ] {
        let found = lines("a.json", text, |file| {
            file.timestamp_column("index").date_unit(Precision::Millisecond)
        });
        assert_eq!(found, "m f=1.5 1\nm f=2.0 2\n", "{text}");
    }
}

#[test]
fn an_ordinary_row_is_not_taken_for_a_table() {
    let rows =
        "{\"time\":1,\"columns\":3,\"data\":\"x\"}\n{\"time\":2,\"columns\":4,\"data\":\"y\"}\n";
    assert_eq!(
        lines("a.json", rows, |file| file),
        "m columns=3i,data=\"x\" 1\nm columns=4i,data=\"y\" 2\n"
    );
    let lists = "{\"columns\":[\"a\"],\"data\":[[1]],\"time\":1,\"f\":2}\n{\"columns\":[],\"data\":[],\"time\":2,\"f\":3}\n";
    let found = lines("a.json", lists, |file| file.exclude(["columns", "data"]));
    assert_eq!(found, "m f=2i 1\nm f=3i 2\n");
}

#[cfg(feature = "gzip")]
#[test]
fn zeros_behind_gzip_mean_nothing() {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(b"time,f\n1,2\n").unwrap();
    let packed = packed.finish().unwrap();
    for zeros in [1, 512, 200_000] {
        let padded = [packed.clone(), vec![0; zeros]].concat();
        let (text, result) = written_to(&Server::accepting(), "a.csv.gz", &padded, |file| file);
        result.unwrap();
        assert_eq!(text, "m f=2i 1\n");
    }
    let garbage = [packed, vec![0; 10], b"x".to_vec()].concat();
    let (_, result) = written_to(&Server::accepting(), "a.csv.gz", &garbage, |file| file);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::File);
}
