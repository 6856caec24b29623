//! Files of other writers in `tests/data/writers`, and what becomes of each: the table of `tests/data/README.md`.
#![cfg(feature = "files")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::support::http::Server;
use influxdb3_blocking::{Client, ErrorKind, Precision, Result, WriteFile};

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "data", "writers"].iter().collect()
}

/// The lines of a file, in seconds.
fn written(name: &str, set: fn(WriteFile<'_>) -> WriteFile<'_>) -> Result<String> {
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    let file = client.write_file(folder().join(name)).measurement("m");
    let report = set(file.precision(Precision::Second)).send();
    let text: String = server.requests().iter().map(|request| request.text()).collect();
    report.map(|report| {
        assert_eq!(report.lines, text.lines().count(), "{name}");
        text
    })
}

/// The three rows that most of the files have.
const HOME: &[&str] = &[
    r#"m room="Kitchen",temp=21.5,co=0i,ok=true 1641024000"#,
    r#"m room="Living Room",co=7i,ok=false 1641027600"#,
    "m temp=-3.25 1641031200",
];

/// Files that are those rows without a word.
const HOME_FILES: &[&str] = &[
    "duckdb-brotli.parquet",
    "duckdb-gzip.parquet",
    "duckdb-lz4.parquet",
    "duckdb-lz4_raw.parquet",
    "duckdb-snappy.parquet",
    "duckdb-uncompressed.parquet",
    "duckdb-v2.parquet",
    "duckdb-zstd.parquet",
    "fastparquet-gzip.parquet",
    "fastparquet-index.parquet",
    "fastparquet-int96.parquet",
    "fastparquet-lz4_raw.parquet",
    "fastparquet-row-groups.parquet",
    "fastparquet-snappy.parquet",
    "fastparquet-uncompressed.parquet",
    "fastparquet-zstd.parquet",
    "hive-0.11-without-metadata.orc",
    "pandas-category.feather",
    "pandas-gzip-no-index.parquet",
    "pandas-nameless-index.parquet",
    "pandas-range-index.parquet",
    "pandas-time-index.parquet",
    "pandas-zstd.feather",
    "pandas.feather",
    "pandas.orc",
    "polars-brotli.parquet",
    "polars-categorical.arrow",
    "polars-categorical.parquet",
    "polars-enum.arrow",
    "polars-gzip.parquet",
    "polars-lz4.arrow",
    "polars-lz4.parquet",
    "polars-oldest.arrow",
    "polars-snappy.parquet",
    "polars-stream.arrows",
    "polars-uncompressed.arrow",
    "polars-uncompressed.parquet",
    "polars-zstd.arrow",
    "polars-zstd.parquet",
    "pyarrow-0.11.orc",
    "pyarrow-brotli.parquet",
    "pyarrow-file.arrow",
    "pyarrow-gzip.parquet",
    "pyarrow-instant.orc",
    "pyarrow-int96.parquet",
    "pyarrow-legacy-stream.arrows",
    "pyarrow-lz4.feather",
    "pyarrow-lz4.orc",
    "pyarrow-lz4.parquet",
    "pyarrow-nameless-index.feather",
    "pyarrow-none.parquet",
    "pyarrow-pages-v2-none.parquet",
    "pyarrow-pages-v2-snappy.parquet",
    "pyarrow-pages-v2-zstd.parquet",
    "pyarrow-plain.parquet",
    "pyarrow-row-groups.parquet",
    "pyarrow-small-stripes.orc",
    "pyarrow-snappy.orc",
    "pyarrow-snappy.parquet",
    "pyarrow-stream.arrows",
    "pyarrow-time-ms.parquet",
    "pyarrow-time-s.parquet",
    "pyarrow-time-us.parquet",
    "pyarrow-uncompressed.feather",
    "pyarrow-uncompressed.orc",
    "pyarrow-v4.arrow",
    "pyarrow-zlib.orc",
    "pyarrow-zone.parquet",
    "pyarrow-zstd.feather",
    "pyarrow-zstd.orc",
    "pyarrow-zstd.parquet",
    "pyorc-lz4.orc",
    "pyorc-none.orc",
    "pyorc-snappy.orc",
    "pyorc-zlib.orc",
    "pyorc-zstd.orc",
];

type Set = fn(WriteFile<'_>) -> WriteFile<'_>;

/// Files that want a setting, or are other rows.
const OTHER_FILES: &[(&str, Set, &[&str])] = &[
    (
        "decimals-without-precision.orc",
        |file| file,
        &["m d=1.250000000000000000 1641024000", "m d=-2.500000000000000000 1641027600"],
    ),
    (
        "dictionary-at-0.parquet",
        |file| file,
        &["m temp=21.5,f=1i 1641024000", "m f=2i 1641027600", "m temp=-3.25,f=3i 1641031200"],
    ),
    ("dictionary-behind-batch.arrow", |file| file, &[r#"m room="Kitchen",n=1i 1641024000"#]),
    (
        "duckdb-nested.parquet",
        |file| file.exclude(["iv", "l", "st"]).binary_as_text(true),
        &[r#"m en="a",b="x",f=1i 1641024000"#],
    ),
    (
        "duckdb-times.parquet",
        |file| file,
        &[
            r#"m n="2022-01-01T08:00:00Z",s="2022-01-01T08:00:00Z",temp=21.5 1641024000"#,
            r#"m n="2022-01-01T09:00:00Z",s="2022-01-01T09:00:00Z" 1641027600"#,
            r#"m n="2022-01-01T10:00:00Z",s="2022-01-01T10:00:00Z",temp=-3.25 1641031200"#,
        ],
    ),
    (
        "duckdb-types.parquet",
        |file| file.exclude(["u"]),
        &[r#"m d=1.25,h=5.0,uh=7.0,d8="2022-01-01",clock="08:00:00",ut=3u 1641024000"#],
    ),
    ("fastparquet-bytes.parquet", |file| file.binary_as_text(true), HOME),
    (
        "java-empty.orc",
        |file| file.timestamp_column("long1").exclude(["middle", "list", "map", "bytes1"]),
        &[],
    ),
    (
        "java-test1.orc",
        |file| {
            file.timestamp_column("long1")
                .date_unit(Precision::Nanosecond)
                .exclude(["middle", "list", "map", "bytes1"])
        },
        &[
            r#"m boolean1=false,byte1=1i,short1=1024i,int1=65536i,float1=1.0,double1=-15.0,string1="hi" 9223372036"#,
            r#"m boolean1=true,byte1=100i,short1=2048i,int1=65536i,float1=2.0,double1=-5.0,string1="bye" 9223372036"#,
        ],
    ),
    (
        "pandas-named-index-zone.parquet",
        |file| file,
        &[
            r#"m room="Kitchen",temp=21.5,co=0i,ok=true 1641020400"#,
            r#"m room="Living Room",co=7i,ok=false 1641024000"#,
            "m temp=-3.25 1641027600",
        ],
    ),
    (
        "polars-list-binary.arrow",
        |file| file.exclude(["l"]).binary_as_text(true),
        &[
            r#"m room="Kitchen",temp=21.5,co=0i,ok=true,b="x" 1641024000"#,
            r#"m room="Living Room",co=7i,ok=false 1641027600"#,
            r#"m temp=-3.25,b="y" 1641031200"#,
        ],
    ),
    (
        "polars-list-binary.parquet",
        |file| file.exclude(["l"]).binary_as_text(true),
        &[
            r#"m room="Kitchen",temp=21.5,co=0i,ok=true,b="x" 1641024000"#,
            r#"m room="Living Room",co=7i,ok=false 1641027600"#,
            r#"m temp=-3.25,b="y" 1641031200"#,
        ],
    ),
    (
        "polars-types.parquet",
        |file| file.exclude(["i"]),
        &[
            r#"m d=1.25,dur=1i,clock="01:00:00" 1641024000"#,
            "m dur=2i 1641027600",
            r#"m d=-2.00,clock="02:00:00" 1641031200"#,
        ],
    ),
    ("polars_plain.arrow", |file| file, &["m v=1.5 1640995200", "m v=2.5 1641081600"]),
    (
        "pyarrow-0.7.1.parquet",
        |file| file.timestamp_column("__index_level_0__").fields(["carat", "cut", "price"]),
        &[
            r#"m carat=0.23,cut="Ideal",price=326i 0"#,
            r#"m carat=0.21,cut="Premium",price=326i 1"#,
            r#"m carat=0.23,cut="Good",price=327i 2"#,
            r#"m carat=0.29,cut="Premium",price=334i 3"#,
            r#"m carat=0.31,cut="Good",price=335i 4"#,
            r#"m carat=0.24,cut="Very Good",price=336i 5"#,
            r#"m carat=0.24,cut="Very Good",price=336i 6"#,
            r#"m carat=0.26,cut="Very Good",price=337i 7"#,
            r#"m carat=0.22,cut="Fair",price=337i 8"#,
            r#"m carat=0.23,cut="Very Good",price=338i 9"#,
        ],
    ),
    ("pyarrow-before-1970-whole.orc", |file| file, &["m v=1i -86400", "m v=2i 0"]),
    (
        "pyarrow-binary.parquet",
        |file| file.binary_as_text(true),
        &[r#"m temp=21.5,b="text",f="ab" 1641024000"#, r#"m temp=-3.25,b="ü",f="cd" 1641031200"#],
    ),
    (
        "pyarrow-decimals.parquet",
        |file| file,
        &[
            "m d9=1.50,d38=11111111111111111111111111111111111111,d76=1111111111111111111111111111111111111111111111111111111111111111111111111111 1641024000",
            "m d9=-12345.25 1641027600",
            "m d38=-1,d76=0 1641031200",
        ],
    ),
    (
        "pyarrow-delta-dictionary.arrow",
        |file| file,
        &[r#"m room="Kitchen",n=1i 1641024000"#, r#"m room="Bath",n=2i 1641027600"#],
    ),
    (
        "pyarrow-delta-dictionary.arrows",
        |file| file,
        &[r#"m room="Kitchen",n=1i 1641024000"#, r#"m room="Bath",n=2i 1641027600"#],
    ),
    ("pyarrow-empty.arrow", |file| file, &[]),
    ("pyarrow-empty.parquet", |file| file, &[]),
    (
        "pyarrow-encodings.parquet",
        |file| file,
        &[
            r#"m temp=21.5,n=1i,s="aa",l="x" 1641024000"#,
            r#"m n=2i,s="ab",l="yy" 1641027600"#,
            r#"m temp=-3.25,n=3i,s="b",l="z" 1641031200"#,
        ],
    ),
    (
        "pyarrow-encrypted-columns.parquet",
        |file| file.exclude(["temp"]),
        &[
            r#"m room="Kitchen",co=0i,ok=true 1641024000"#,
            r#"m room="Living Room",co=7i,ok=false 1641027600"#,
        ],
    ),
    (
        "pyarrow-far-field.parquet",
        |file| file,
        &[
            r#"m until="9999-12-31T00:00:00Z",f=1i 1640995200"#,
            r#"m until="0001-01-01T00:00:00Z",f=2i 1641081600"#,
        ],
    ),
    (
        "pyarrow-int96-far-field-plain.parquet",
        |file| file,
        &[
            r#"m until="9999-12-31T23:59:59.999999Z",f=1i 1640995200"#,
            r#"m until="1600-01-01T00:00:00.000001Z",f=2i 0"#,
        ],
    ),
    (
        "pyarrow-int96-far-field.parquet",
        |file| file,
        &[
            r#"m until="9999-12-31T00:00:00Z",f=1i 1640995200"#,
            r#"m until="1960-01-01T00:00:00.000001Z",f=2i -1"#,
        ],
    ),
    (
        "pyarrow-names.parquet",
        |file| file,
        &[
            r#"m a.b=21.5,ü\ x=1i 1641024000"#,
            r#"m ü\ x=2i 1641027600"#,
            r#"m a.b=-3.25,ü\ x=3i 1641031200"#,
        ],
    ),
    ("pyarrow-nested.parquet", |file| file.exclude(["struct", "map"]), HOME),
    (
        "pyarrow-replaced-dictionary.arrows",
        |file| file,
        &[r#"m room="Kitchen",n=1i 1641024000"#, r#"m room="Bath",n=2i 1641027600"#],
    ),
    (
        "pyarrow-run-ends.arrow",
        |file| file,
        &[
            r#"m temp=21.5,r="x" 1641024000"#,
            r#"m r="x" 1641027600"#,
            r#"m temp=-3.25,r="y" 1641031200"#,
        ],
    ),
    (
        "pyarrow-types.parquet",
        |file| file,
        &[
            r#"m day="2022-01-01",clock="08:00:00.000005",dur=1000000i,half=0.5,single=0.1,u64=18446744073709551615u,i8=-8i 1641024000"#,
            "m half=1.0 1641027600",
            r#"m day="1969-12-31",clock="23:59:59",dur=0i,half=2.0,single=3.0,u64=0u,i8=8i 1641031200"#,
        ],
    ),
    (
        "pyarrow-views.arrow",
        |file| file,
        &[
            r#"m temp=21.5,s="short",l="a" 1641024000"#,
            r#"m s="a text of more than twelve bytes" 1641027600"#,
            r#"m temp=-3.25,l="c" 1641031200"#,
        ],
    ),
    ("pyorc-before-1970.orc", |file| file, &["m f=1i 0", "m f=2i -2", "m f=3i -315619200"]),
    (
        "pyorc-berlin.orc",
        |file| file,
        &[
            r#"m room="Kitchen",temp=21.5,co=0i,ok=true 1641027600"#,
            r#"m room="Living Room",co=7i,ok=false 1641031200"#,
            "m temp=-3.25 1641034800",
        ],
    ),
    ("pyorc-binary.orc", |file| file.binary_as_text(true), &[r#"m b="text",f=1i 1641024000"#]),
    ("pyorc-empty.orc", |file| file, &[]),
    ("pyorc-instant.orc", |file| file, &["m f=1i 1641024000"]),
    ("pyorc-nested.orc", |file| file.exclude(["l", "m", "st"]), &["m f=1i 1641024000"]),
    (
        "pyorc-types.orc",
        |file| file,
        &[
            r#"m d=1.25,day="2022-01-01",v="ab",c="cd   ",t=1i,s=2i,fl=0.5 1641024000"#,
            "m fl=1.0 1641027600",
        ],
    ),
    ("pyorc-union.orc", |file| file.exclude(["u"]), &["m f=1i 1641024000"]),
    (
        "pyorc-year-2300-field.orc",
        |file| file,
        &[
            r#"m until="2300-01-01T00:00:00Z",f=1i 1640995200"#,
            r#"m until="2022-01-01T00:00:00Z",f=2i 1641081600"#,
        ],
    ),
];

/// Files that are refused, and words of why.
const REFUSED_FILES: &[(&str, &str)] = &[
    (
        "int96_time.parquet",
        r#"row group 1: row 1, column "time": the timestamp of 253402221600000000000 ns"#,
    ),
    ("old-arrow-pages-v2.parquet", "written by Arrow before 3.0"),
    ("orc_before_1970.orc", "fractions are below zero"),
    ("polars-types.arrow", r#"the column "i" is of integers of 128 bits"#),
    ("pyarrow-before-1970.orc", "fractions are below zero"),
    ("pyarrow-encrypted.parquet", "it is encrypted"),
    (
        "pyarrow-int96-far-time.parquet",
        r#"row group 1: row 1, column "time": the timestamp of 253402214400000000000 ns"#,
    ),
    ("pyarrow-list.parquet", r#"the column "list" is of the nested type"#),
    (
        "pyorc-berlin-2101.orc",
        r#"row 2, column "time": it is from 2100 on in the zone Europe/Berlin"#,
    ),
    ("pyorc-no-struct.orc", "have no columns"),
    (
        "pyorc-year-2300-time.orc",
        r#"row 2, column "time": the timestamp of 10413792000000000000 ns"#,
    ),
];

#[test]
fn every_file_of_another_writer_is_what_the_table_says() {
    let mut wrong = Vec::new();
    let home = HOME_FILES.iter().map(|&name| (name, (|file| file) as Set, HOME));
    for (name, set, expected) in home.chain(OTHER_FILES.iter().copied()) {
        let expected: String = expected.iter().map(|line| format!("{line}\n")).collect();
        match written(name, set) {
            Ok(found) if found == expected => {}
            found => wrong.push(format!("{name}: {found:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_cannot_be_read_of_another_writer_says_why() {
    for (name, words) in REFUSED_FILES {
        let error = written(name, |file| file).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::File | ErrorKind::InvalidRecord),
            "{name}: {error}"
        );
        assert!(error.to_string().contains(words), "{name}: {error}");
    }
}

#[test]
fn the_rows_before_a_time_that_cannot_be_written_are_written() {
    for name in ["pyorc-berlin-2101.orc", "pyorc-year-2300-time.orc"] {
        let error = written(name, |file| file).unwrap_err();
        assert_eq!((error.lines_written(), error.resume_line()), (1, Some(1)), "{name}: {error}");
    }
}

#[test]
fn every_file_of_another_writer_is_in_the_table() {
    let readme = folder().parent().unwrap().join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let files = std::fs::read_dir(folder()).unwrap();
    let files: BTreeSet<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let mut tested: BTreeSet<String> = HOME_FILES.iter().map(|&name| name.to_owned()).collect();
    tested.extend(OTHER_FILES.iter().map(|(name, ..)| (*name).to_owned()));
    tested.extend(REFUSED_FILES.iter().map(|(name, _)| (*name).to_owned()));
    assert_eq!(files, tested);
    for file in &files {
        assert!(readme.contains(&format!("| `{file}` |")), "{file}");
    }
    assert!(files.len() >= 40);
}
