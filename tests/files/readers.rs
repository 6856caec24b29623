//! Input from anything that is `Read`, and text that is packed: known by what it is, not by its name.
#![cfg(all(feature = "files", feature = "query"))]

use std::cell::Cell;
use std::io::{self, Read, Write as _};
use std::path::PathBuf;

use crate::support::http::Server;
use influxdb3_blocking::{
    Client, ColumnType, ErrorKind, FileFormat, FileReport, Precision, Result, WriteFile,
};

fn data(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "data", name].iter().collect()
}

fn client(server: &Server) -> Client {
    let builder = Client::builder().host(server.url()).database("db");
    builder.precision(Precision::Second).max_request_bytes(20_000).build().unwrap()
}

fn home(file: WriteFile<'_>) -> WriteFile<'_> {
    file.measurement("home").tags(["room"])
}

/// What a reader is written as.
fn read(
    reader: impl Read,
    format: FileFormat,
    set: impl FnOnce(WriteFile<'_>) -> WriteFile<'_>,
) -> (String, Result<FileReport>) {
    let server = Server::accepting();
    let client = client(&server);
    let result = set(home(client.write_reader(reader, format))).send();
    (server.requests().iter().map(|request| request.text()).collect(), result)
}

/// Gives few bytes at a time, and is interrupted.
struct Drops<'a>(&'a [u8], usize);

impl Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 += 1;
        if self.1.is_multiple_of(3) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = buffer.len().min(7);
        self.0.read(&mut buffer[..most])
    }
}

/// Rows without end, and how many bytes of them were asked for.
struct Endless<'a> {
    rows: u64,
    rest: Vec<u8>,
    given: &'a Cell<usize>,
}

impl<'a> Endless<'a> {
    fn new(given: &'a Cell<usize>) -> Self {
        Self { rows: 0, rest: b"time,room,temp\n".to_vec(), given }
    }
}

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.len() < buffer.len() {
            self.rows += 1;
            writeln!(self.rest, "{},Kitchen,21.5", self.rows)?;
        }
        buffer.copy_from_slice(&self.rest[..buffer.len()]);
        self.rest.drain(..buffer.len());
        self.given.set(self.given.get() + buffer.len());
        Ok(buffer.len())
    }
}

#[test]
fn every_format_is_read_from_a_reader_as_from_a_file() {
    let server = Server::accepting();
    let client = client(&server);
    for (name, format) in [
        ("home.csv", FileFormat::Csv),
        ("home.json", FileFormat::Json),
        ("home.jsonl", FileFormat::Json),
        ("home-split.json", FileFormat::Json),
        ("home-snappy.parquet", FileFormat::Parquet),
        ("home-zstd.feather", FileFormat::Feather),
        ("home.arrows", FileFormat::Feather),
        ("home-zlib.orc", FileFormat::Orc),
    ] {
        let before = server.requests().len();
        home(client.write_file(data(name))).send().unwrap();
        let expected: String =
            server.requests()[before..].iter().map(|request| request.text()).collect();
        let bytes = std::fs::read(data(name)).unwrap();
        let (found, result) = read(Drops(&bytes, 0), format, |file| file);
        assert_eq!((found, result.unwrap().lines), (expected, 26), "{name}");
    }
}

#[test]
fn text_is_unpacked_by_its_first_bytes_whatever_its_name() {
    let csv = std::fs::read(data("home.csv")).unwrap();
    let (plain, _) = read(&csv[..], FileFormat::Csv, |file| file);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Default::default());
    gzip.write_all(&csv).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::encode_all(&csv[..], 0).unwrap();
    for packed in [&gzip, &zstd] {
        assert_eq!(read(&packed[..], FileFormat::Csv, |file| file).0, plain);
        // What is cut off is told.
        let (_, result) = read(&packed[..packed.len() - 9], FileFormat::Csv, |file| file);
        assert_eq!(result.unwrap_err().kind(), ErrorKind::File);
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("files-readers");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, bytes) in [
        ("a.csv", &gzip),
        ("b.csv", &zstd),
        ("c.csv.gz", &zstd),
        ("d.csv.zst", &gzip),
        ("e.csv.gz", &csv),
        ("f.txt", &csv),
    ] {
        std::fs::write(folder.join(name), bytes).unwrap();
        let server = Server::accepting();
        let client = client(&server);
        let file = client.write_file(folder.join(name));
        let file = if name == "f.txt" { file.format(FileFormat::Csv) } else { file };
        assert_eq!(home(file).send().unwrap().lines, 26, "{name}");
        assert_eq!(server.requests()[0].text(), plain, "{name}");
    }
    for (magic, name) in
        [(&b"BZh91AY"[..], "bzip2"), (b"\xfd7zXZ\0\0", "xz"), (b"PK\x03\x04....", "zip")]
    {
        let (_, result) = read(magic, FileFormat::Csv, |file| file);
        let error = result.unwrap_err();
        assert!(error.to_string().contains(&format!("packed with {name}")), "{error}");
    }
    let (_, result) = read(&gzip[..], FileFormat::Parquet, |file| file);
    let error = result.unwrap_err();
    assert!(error.to_string().contains("packed with gzip, and Parquet"), "{error}");
}

#[test]
fn what_must_be_kept_is_bounded_and_nothing_is_written_beyond() {
    for (name, format) in [
        ("home.csv", FileFormat::Csv),
        ("home.jsonl", FileFormat::Json),
        ("home-snappy.parquet", FileFormat::Parquet),
        ("home-zstd.feather", FileFormat::Feather),
        ("home-zlib.orc", FileFormat::Orc),
    ] {
        let bytes = std::fs::read(data(name)).unwrap();
        let whole = bytes.len();
        let (_, result) = read(&bytes[..], format, |file| file.reader_limit(whole));
        assert_eq!(result.unwrap().lines, 26, "{name}");
        let (found, result) = read(&bytes[..], format, |file| file.reader_limit(whole - 1));
        let error = result.unwrap_err();
        assert_eq!((error.kind(), &*found), (ErrorKind::File, ""), "{name}: {error}");
        assert!(error.to_string().starts_with("the reader: "), "{error}");
        assert!(error.to_string().contains("reader_limit"), "{error}");
    }
}

#[test]
fn csv_without_end_is_written_as_it_comes_when_few_rows_decide() {
    // Nothing is kept but what decides about types: with a limit of 64 KiB, a megabyte goes through.
    let given = Cell::new(0);
    let endless = Endless::new(&given).take(1_000_000);
    let (found, result) =
        read(endless, FileFormat::Csv, |file| file.infer_rows(10).reader_limit(64 << 10));
    let lines = found.lines().count();
    let told = match result {
        Ok(report) => report.lines,
        // The last row is cut off.
        Err(error) => error.lines_written(),
    };
    assert_eq!(told, lines);
    assert!(lines > 20_000, "{lines}");

    // With all types given, nothing but the header is kept.
    let given = Cell::new(0);
    let endless = Endless::new(&given).take(500_000);
    let (found, _) = read(endless, FileFormat::Csv, |file| {
        file.column_type("temp", ColumnType::Float).reader_limit(64 << 10)
    });
    assert!(found.lines().count() > 10_000);
}

#[test]
fn a_stream_of_arrow_is_written_as_it_comes() {
    let bytes = std::fs::read(data("home.arrows")).unwrap();
    let (_, result) = read(&bytes[..], FileFormat::Feather, |file| file.reader_limit(16));
    assert_eq!(result.unwrap().lines, 26);
}

#[test]
fn an_error_of_the_reader_comes_through_with_what_was_written() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "the cable was pulled"))
        }
    }
    let csv = std::fs::read(data("home.csv")).unwrap();
    let (found, result) = read(csv.chain(Fails), FileFormat::Csv, |file| file.infer_rows(3));
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(error.to_string().contains("the cable was pulled"), "{error}");
    assert_eq!(error.lines_written(), found.lines().count());
}

#[test]
fn progress_of_a_reader_counts_what_was_read() {
    let csv = std::fs::read(data("home.csv")).unwrap();
    let server = Server::accepting();
    let client = client(&server);
    let mut seen = Vec::new();
    home(client.write_reader(&csv[..], FileFormat::Csv))
        .progress(|progress| seen.push((progress.bytes_read, progress.bytes_total)))
        .send()
        .unwrap();
    assert_eq!(seen.last(), Some(&(csv.len() as u64, csv.len() as u64)), "one batch, one call");
    for (read, total) in &seen {
        assert_eq!(read, total);
    }
    assert!(seen.iter().all(|(read, _)| *read <= csv.len() as u64));
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_a_reader() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("files-pipe");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let pipe = folder.join("home.csv");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::copy(data("home.csv"), pipe).unwrap())
    };
    let server = Server::accepting();
    let report = home(client(&server).write_file(&pipe)).send().unwrap();
    writer.join().unwrap();
    assert_eq!(report.lines, 26);
    let error = home(client(&server).write_file(&folder).format(FileFormat::Csv)).send();
    assert!(error.unwrap_err().to_string().contains("directory"));
}
