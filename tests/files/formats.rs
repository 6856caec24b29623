//! Each file in `tests/data` is what other programs say it is.
#![cfg(all(feature = "files", feature = "query"))]

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::home;
use crate::support::http::Server;
use influxdb3_blocking::arrow_schema::{DataType, TimeUnit};
use influxdb3_blocking::{Client, ErrorKind, FileReport, Precision, Result, Row, Table, WriteFile};
use influxdb3_dev_server::DevServer;

fn data(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "data", name].iter().collect()
}

/// The lines that a file becomes.
fn lines(name: &str, set: impl FnOnce(WriteFile<'_>) -> WriteFile<'_>) -> Vec<String> {
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    let file = client.write_file(data(name)).precision(Precision::Second);
    let report = set(file).send().unwrap();
    let text: String = server.requests().iter().map(|request| request.text()).collect();
    assert_eq!(report.bytes, text.len());
    assert_eq!(report.batches, server.requests().len());
    let lines: Vec<String> = split_lines(&text);
    assert_eq!(report.lines, lines.len());
    lines
}

fn split_lines(text: &str) -> Vec<String> {
    influxdb_line_protocol::split_lines(text)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

fn home_file(file: WriteFile<'_>) -> WriteFile<'_> {
    file.measurement("home").tags(["room"])
}

/// Files that hold the same 26 rows.
const HOME: [&str; 24] = [
    "home.csv",
    "home-rfc3339.csv",
    "home.json",
    "home.jsonl",
    "home-split.json",
    "home-columns.json",
    "home-none.parquet",
    "home-snappy.parquet",
    "home-gzip.parquet",
    "home-zstd.parquet",
    "home-lz4.parquet",
    "home-brotli.parquet",
    "home-rowgroups.parquet",
    "home-uncompressed.feather",
    "home-lz4.feather",
    "home-zstd.feather",
    "home.arrows",
    "home-uncompressed.orc",
    "home-zlib.orc",
    "home-snappy.orc",
    "home-zstd.orc",
    "home-lz4.orc",
    // These two with an option below.
    "home-ns.json",
    "home-measurement-column.csv",
];

/// Whoever wrote some of the files has widened what was of single precision.
fn expected(name: &str) -> Vec<home::Row> {
    let widen =
        |(time, room, temp, hum, co): home::Row| (time, room, temp, f64::from(hum as f32), co);
    match name {
        "home-rowgroups.parquet"
        | "home-uncompressed.orc"
        | "home-zlib.orc"
        | "home-snappy.orc"
        | "home-zstd.orc"
        | "home-lz4.orc" => home::rows().into_iter().map(widen).collect(),
        _ => home::rows(),
    }
}

#[test]
fn every_home_file_is_the_table_made_by_hand() {
    for name in HOME.iter().filter(|name| !name.contains("-ns") && !name.contains("measurement")) {
        let expected: Vec<String> = expected(name).into_iter().map(home::line).collect();
        assert_eq!(lines(name, home_file), expected, "{name}");
    }
    let ns = lines("home-ns.json", |file| home_file(file).date_unit(Precision::Nanosecond));
    assert_eq!(ns, home::lines());
    // With a name given, the column is a field like all others, and can be left out.
    for (name, column, first) in [
        ("home-measurement-column.csv", "measurement", "home_b"),
        ("home-iox-measurement-column.csv", "iox::measurement", "home_iox"),
    ] {
        let named = lines(name, home_file);
        let expected = format!(" {column}=\"{first}\",temp");
        assert_eq!(named[0], home::lines()[0].replacen(" temp", &expected, 1), "{name}");
        assert_eq!(lines(name, |file| home_file(file).exclude([column])), home::lines());
    }
}

#[test]
fn the_measurement_is_named_by_a_column_if_by_nobody_else() {
    fn tagged(file: WriteFile<'_>) -> WriteFile<'_> {
        file.tags(["room"])
    }
    let of = |name: &str| name.to_owned();
    let expected: Vec<String> = home::lines()
        .iter()
        .enumerate()
        .map(|(n, line)| if n % 2 == 0 { line.replacen("home", "home_b", 1) } else { of(line) })
        .collect();
    assert_eq!(lines("home-measurement-column.csv", tagged), expected);
    let expected: Vec<String> =
        home::lines().iter().map(|line| line.replacen("home", "home_iox", 1)).collect();
    assert_eq!(lines("home-iox-measurement-column.csv", tagged), expected);
}

#[test]
fn awkward_csv_comes_through() {
    let found = lines("awkward.csv", |file| file.measurement("m").tags(["room"]));
    assert_eq!(
        found,
        [
            r#"m,room=Living\,\ Room temp=21.1,note="said \"hi\", left",open=true 1641024000"#,
            r#"m,room=Küche\ 🏠 note="plain",open=false 1641024001"#,
            "m temp=22.5 1641024002",
            r#"m,room=Bed\=room temp=1000.0,note="a\\b",open=true 1641024003"#,
        ]
    );
}

#[test]
fn the_types_of_parquet_and_feather_are_kept() {
    for name in ["types.parquet", "types.feather"] {
        let found = lines(name, |file| file.measurement("m").tags(["tag"]));
        assert_eq!(
            found,
            [
                r#"m,tag=a i8=1i,u64=18446744073709551615u,f32=0.1,b=true,s="quote \" and \\ back",d="2024-01-01",dec=1i 1704067200"#,
                "m,tag=b u64=1u,b=false,s=\"line\nbreak\",d=\"2024-01-02\",dec=2i 1704067201",
                r#"m i8=3i,u64=2u,s="",d="2024-01-03",dec=3i 1704067202"#,
                r#"m,tag=d i8=4i,u64=3u,b=true,d="2024-01-04",dec=4i 1704067203"#,
                r#"m,tag=e i8=5i,f32=-0.0,b=false,s="ünï",d="2024-01-05",dec=5i 1704067204"#,
            ],
            "{name}"
        );
    }
}

#[test]
fn every_home_file_comes_back_equal_from_the_server() {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    for name in HOME {
        let unit = if name.contains("-ns") { Precision::Nanosecond } else { Precision::Second };
        let table = name.replace(['.', '-'], "_");
        let report = client
            .write_file(data(name))
            .measurement(&table)
            .tags(["room"])
            .date_unit(unit)
            .fields(["temp", "hum", "co"])
            .send()
            .unwrap();
        assert_eq!(report.lines, 26, "{name}");
        let sql = format!("SELECT time, room, temp, hum, co FROM {table} ORDER BY time, room DESC");
        let found = client.query(sql).table().unwrap();
        let (time, text) = (DataType::Timestamp(TimeUnit::Nanosecond, None), DataType::Utf8);
        let (float, integer) = (DataType::Float64, DataType::Int64);
        assert_eq!(types(&found), [time, text, float.clone(), float, integer], "{name}");
        let found: Vec<(i64, String, f64, f64, i64)> = found
            .rows()
            .map(|row| {
                let time = row.get::<SystemTime>("time").unwrap();
                let time = time.duration_since(UNIX_EPOCH).unwrap();
                assert_eq!(time.subsec_nanos(), 0);
                (
                    time.as_secs().cast_signed(),
                    row.get::<String>("room").unwrap(),
                    row.get::<f64>("temp").unwrap(),
                    row.get::<f64>("hum").unwrap(),
                    row.get::<i64>("co").unwrap(),
                )
            })
            .collect();
        let expected: Vec<_> = expected(name)
            .into_iter()
            .map(|(time, room, temp, hum, co)| (time, room.to_owned(), temp, hum, co))
            .collect();
        assert_eq!(found, expected, "{name}");
    }
}

fn types(table: &Table) -> Vec<DataType> {
    table.schema().fields().iter().map(|field| field.data_type().clone()).collect()
}

#[test]
fn the_types_of_parquet_and_feather_come_back_from_the_server() {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    for name in ["types.parquet", "types.feather"] {
        let table = name.replace('.', "_");
        client.write_file(data(name)).measurement(&table).tags(["tag"]).send().unwrap();
        let sql = format!("SELECT tag, i8, u64, f32, b, s, d, dec FROM {table} ORDER BY time");
        let found = client.query(sql).table().unwrap();
        let (text, integer) = (DataType::Utf8, DataType::Int64);
        let numbers = [integer.clone(), DataType::UInt64, DataType::Float64, DataType::Boolean];
        let [i8, u64, f32, b] = numbers;
        assert_eq!(
            types(&found),
            [text.clone(), i8, u64, f32, b, text.clone(), text, integer],
            "{name}"
        );
        let column = |row: &Row<'_>, name| row.get::<Option<String>>(name).unwrap();
        let texts: Vec<_> = found
            .rows()
            .map(|row| [column(&row, "tag"), column(&row, "s"), column(&row, "d")])
            .collect();
        let of = |texts: [&str; 3]| texts.map(|text| (text != "-").then(|| text.to_owned()));
        assert_eq!(
            texts,
            [
                of(["a", "quote \" and \\ back", "2024-01-01"]),
                of(["b", "line\nbreak", "2024-01-02"]),
                of(["-", "", "2024-01-03"]),
                of(["d", "-", "2024-01-04"]),
                of(["e", "ünï", "2024-01-05"]),
            ]
        );
        type Numbers = (Option<i64>, Option<u64>, Option<bool>, i64);
        let numbers: Vec<Numbers> = found
            .rows()
            .map(|row| {
                (
                    row.get("i8").unwrap(),
                    row.get("u64").unwrap(),
                    row.get("b").unwrap(),
                    row.get("dec").unwrap(),
                )
            })
            .collect();
        assert_eq!(
            numbers,
            [
                (Some(1), Some(u64::MAX), Some(true), 1),
                (None, Some(1), Some(false), 2),
                (Some(3), Some(2), None, 3),
                (Some(4), Some(3), Some(true), 4),
                (Some(5), None, Some(false), 5),
            ]
        );
        // Of single precision in the file, and written with its own digits.
        let floats: Vec<Option<u64>> = found
            .rows()
            .map(|row| row.get::<Option<f64>>("f32").unwrap().map(f64::to_bits))
            .collect();
        assert_eq!(
            floats,
            [Some(0.1_f64.to_bits()), None, None, None, Some((-0.0_f64).to_bits())],
            "{name}"
        );
    }
}

#[test]
fn extensions_count_in_any_case_and_unknown_ones_are_named() {
    let folder = tempdir("extensions");
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    for (from, to) in
        [("home.csv", "HOME.CSV"), ("home-none.parquet", "a.b.Parquet"), ("home.json", "x.JSON")]
    {
        let path = folder.join(to);
        std::fs::copy(data(from), &path).unwrap();
        assert_eq!(home_file(client.write_file(&path)).send().unwrap().lines, 26, "{to}");
    }
    let path = folder.join("home.xlsx");
    std::fs::copy(data("home.csv"), &path).unwrap();
    let error = home_file(client.write_file(&path)).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(
        error.to_string().contains("home.xlsx") && error.to_string().contains(".feather"),
        "{error}"
    );
    let error = home_file(client.write_file(folder.join("missing.csv"))).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(error.to_string().contains("missing.csv"), "{error}");
}

#[test]
fn feather_of_version_1_is_named() {
    let error = send("home-v1.feather").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(error.to_string().contains("version 1"), "{error}");
}

fn send(name: &str) -> Result<FileReport> {
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    home_file(client.write_file(data(name))).send()
}

/// A folder of this test's own.
fn tempdir(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("files-formats-{name}"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
