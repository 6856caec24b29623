//! A damaged file is an error and never a panic, and what was written before it is told exactly.
#![cfg(feature = "files")]

use std::path::{Path, PathBuf};

use crate::support::http::Server;
use influxdb3_blocking::{Client, Error, ErrorKind, FileReport, Precision, Result};

fn data() -> Vec<PathBuf> {
    let files = files_in(&folder());
    assert!(files.len() > 25);
    files
}

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "data"].iter().collect()
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "md"))
        .collect();
    files.sort();
    files
}

struct Bench {
    server: Server,
    client: Client,
    folder: PathBuf,
}

impl Bench {
    fn new(name: &str) -> Self {
        let server = Server::accepting();
        let client = Client::builder().host(server.url()).database("db").build().unwrap();
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("damaged-{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        Self { server, client, folder }
    }

    /// Writes a file of these bytes, and checks that it is told right what arrived.
    fn write(&self, like: &Path, bytes: &[u8]) -> Result<FileReport> {
        let path = self.folder.join(like.file_name().unwrap());
        std::fs::write(&path, bytes).unwrap();
        let tags: &[&str] = match like.to_string_lossy() {
            name if name.contains("writers") => &[],
            name if name.contains("types") => &["tag"],
            _ => &["room"],
        };
        let before = self.server.requests().len();
        let result = self
            .client
            .write_file(&path)
            .measurement("home")
            .tags(tags.iter().copied())
            .precision(Precision::Second)
            .date_unit(Precision::Nanosecond)
            .send();
        let requests = self.server.requests();
        let text: String = requests[before..].iter().map(|request| request.text()).collect();
        let arrived = influxdb_line_protocol::parse_lines(&text).filter(Result::is_ok).count();
        let told = match &result {
            Ok(report) => report.lines,
            Err(error) => error.lines_written(),
        };
        assert_eq!(told, arrived, "{}", like.display());
        if let Err(error) = &result {
            check(error, &path);
        }
        result
    }
}

fn check(error: &Error, path: &Path) {
    assert!(
        matches!(error.kind(), ErrorKind::File | ErrorKind::InvalidRecord),
        "{:?}: {error}",
        error.kind()
    );
    assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
}

#[test]
fn files_that_are_cut_off_are_errors() {
    for path in data() {
        let bench = Bench::new("cut");
        let bytes = std::fs::read(&path).unwrap();
        let whole = bench.write(&path, &bytes).map(|report| report.lines);
        for tenth in 0..10 {
            let cut = bytes.len() * tenth / 10;
            match bench.write(&path, &bytes[..cut]) {
                Err(_) => {}
                // Text without its end may be text all the same, but not more of it.
                Ok(report) => {
                    let name = path.display();
                    assert!(
                        name.to_string().contains(".csv") || name.to_string().contains(".json"),
                        "{name}: {cut}"
                    );
                    assert!(
                        whole.as_ref().is_ok_and(|whole| report.lines < *whole),
                        "{name}: {cut}"
                    );
                }
            }
        }
    }
}

#[test]
fn flipped_bytes_are_errors_or_other_values() {
    let mut state = 7_u64;
    let others = files_in(&folder().join("writers"));
    let files = data().into_iter().map(|path| (path, FLIPS));
    for (path, flips) in files.chain(others.into_iter().map(|path| (path, FLIPS_OF_OTHERS))) {
        let bench = Bench::new("flipped");
        let bytes = std::fs::read(&path).unwrap();
        for _ in 0..flips {
            let mut damaged = bytes.clone();
            for _ in 0..=state % 3 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let place = (state >> 24) as usize % damaged.len();
                damaged[place] ^= 1 << (state >> 20 & 7);
            }
            // Whether it is an error depends on what was hit.
            let _ = bench.write(&path, &damaged);
        }
    }
}

/// Of each file.
const FLIPS: usize = 60;
/// Of each file of another writer.
const FLIPS_OF_OTHERS: usize = 15;

#[test]
fn a_file_of_circular_types_is_an_error() {
    let bench = Bench::new("circular");
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "tests", "data", "home-lz4.orc"].iter().collect();
    let mut bytes = std::fs::read(&path).unwrap();
    // The second column's type is made the whole row.
    assert_eq!(std::mem::replace(&mut bytes[1361], 0), 2);
    let error = bench.write(&path, &bytes).unwrap_err();
    assert!(error.to_string().contains("no tree"), "{error}");
}
