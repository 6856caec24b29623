//! How fast tables and files are written to a server that takes everything and stores nothing, and who else can do it.
//!
//! `cargo run --release --bin files` writes record batches and files, with words such as `csv/write_file` only those.
//! With `--features frames` it writes data frames too, and so does influxdb3-client with its feature `polars`.
//! With `PYTHON` set to a Python that has influxdb3-python (see `python/install.sh`), the Python client's
//! `write_file` writes the same CSV and Parquet.
//! `cargo run --release --bin files -- big 4` makes a CSV of that many GB in the system's folder for temporary files,
//! writes it, and prints the peak of resident memory.
//!
//! Each contender is a process of its own, so that its peak of resident memory is its own; the sink is in the process
//! that starts them. The best of a few turns counts. What is written is made before the clock starts.

#[cfg(feature = "frames")]
mod frames;
#[allow(dead_code)] // each bench uses a part
#[path = "../report.rs"]
mod report;
#[allow(dead_code)] // each bench uses a part
#[path = "../sink.rs"]
mod sink;
mod tables;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use influxdb3_blocking::{Client, Columns, Precision};
use report::{Rounds, Selection, Table, rate, times};
use sink::Sink;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["big", gigabytes] => big(gigabytes.parse().expect("a number of GB")),
        // What a process of a contender is started with.
        ["run", contender, shape, url, path] => run(contender, shape, url, Path::new(path)),
        _ => all(&Selection::new(&arguments)),
    }
}

/// A row: its name, what it is compared with, and the process that measures it.
struct Row {
    name: String,
    title: String,
    against: Option<String>,
    command: Box<dyn Fn() -> Command>,
}

fn all(selection: &Selection) {
    let sink = Sink::start();
    let folder = Folder::new();
    let mut rows = Vec::new();
    let own =
        |name: String, title: String, against: Option<String>, words: [&str; 3], path: &Path| {
            let [contender, shape, url] = words.map(str::to_owned);
            let path = path.to_owned();
            let command = move || {
                let mut command = Command::new(std::env::current_exe().expect("a path"));
                command.args(["run", &contender, &shape, &url]).arg(&path);
                command
            };
            Row { name, title, against, command: Box::new(command) }
        };
    let (url, none) = (sink.url(), folder.0.join("none"));
    for shape in tables::SHAPES {
        let name = |what: &str| format!("{shape}/{what}");
        rows.push(own(
            name("batch"),
            format!("record batch, {shape}"),
            None,
            ["columns", shape, &url],
            &none,
        ));
        if cfg!(feature = "frames") {
            let title = format!("influxdb3-client, data frame of polars, {shape}");
            rows.push(own(name("peer"), title, None, ["frame-peer", shape, &url], &none));
            let title = format!("data frame of polars, {shape}");
            rows.push(own(name("frame"), title, Some(name("peer")), ["frame", shape, &url], &none));
        }
    }
    let csv = folder.0.join("home.csv");
    tables::write_csv(&csv, ROWS).expect("a file");
    let parquet = folder.0.join("home.parquet");
    tables::write_parquet(&parquet, &tables::home(ROWS)).expect("a file");
    for (kind, path) in [("csv", &csv), ("parquet", &parquet)] {
        let against = std::env::var_os("PYTHON").map(|_| format!("{kind}/python"));
        if let Some(python) = std::env::var_os("PYTHON") {
            let (url, path) = (url.clone(), path.clone());
            let command = move || {
                let mut command = Command::new(&python);
                command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/write_file.py"));
                command.arg(&url).arg(&path);
                command
            };
            let title = format!("{kind}, the Python client's write_file");
            let command = Box::new(command);
            rows.push(Row { name: format!("{kind}/python"), title, against: None, command });
        }
        let name = format!("{kind}/write_file");
        let title = format!("{kind}, `write_file`");
        rows.push(own(name, title, against.clone(), ["file", "-", &url], path));
        if kind == "csv" {
            let name = format!("{kind}/typed");
            let title = format!("{kind}, `write_file`, types given");
            rows.push(own(name, title, against, ["typed-file", "-", &url], path));
        }
    }
    rows.retain(|row| selection.has(&row.name));
    let mut rounds = Rounds::new(rows.len());
    let mut peaks = vec![0_f64; rows.len()];
    for _ in 0..ROUNDS {
        for (number, row) in rows.iter().enumerate() {
            // Python takes its time, and so has one turn.
            if row.name.ends_with("/python") && peaks[number] > 0.0 {
                continue;
            }
            let measured = measured((row.command)(), &sink);
            rounds.add(number, measured.nanos / ROWS as f64);
            peaks[number] = peaks[number].max(measured.peak_kib / 1024.0);
        }
    }
    let title = format!("Tables and files: {ROWS} rows, to a sink in another process");
    let table =
        Table::begin("files", &title, &["rows/s, best", "ns/row", "times as fast", "peak MiB"]);
    for (number, row) in rows.iter().enumerate() {
        let peer = rows.iter().position(|peer| Some(&peer.name) == row.against.as_ref());
        let cells = [
            rate(1e9 / rounds.best(number)),
            format!("{:.1}", rounds.best(number)),
            peer.map_or_else(String::new, |peer| {
                times(rounds.best(peer) / rounds.best(number), &rows[peer].name)
            }),
            format!("{:.1}", peaks[number]),
        ];
        let command = format!("{} {}", row.name, row.against.as_deref().unwrap_or_default());
        table.row(&row.title, &cells, &command);
    }
}

/// What the process of a contender says: the time of its best turn, and its peak.
struct Measured {
    nanos: f64,
    peak_kib: f64,
}

fn measured(mut command: Command, sink: &Sink) -> Measured {
    let before = sink.counted().1;
    let output = command.output().expect("a process");
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|n| n.parse().ok()).collect();
    let [nanos, peak_kib] = numbers[..] else {
        panic!("{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    };
    assert!(
        sink.counted().1 - before > 10 * ROWS as u64,
        "{command:?} has written next to nothing"
    );
    Measured { nanos, peak_kib }
}

fn run(contender: &str, shape: &str, url: &str, path: &Path) {
    let client = || Client::builder().host(url).database("db").build().expect("a client");
    let time = match contender {
        "columns" => {
            let (client, batch) = (client(), tables::of(shape, ROWS));
            best(|| columns(&client, &batch))
        }
        "file" => {
            let client = client();
            best(|| file(&client, path))
        }
        "typed-file" => {
            let client = client();
            best(|| typed_file(&client, path))
        }
        #[cfg(feature = "frames")]
        "frame" => {
            let (client, frame) = (client(), frames::ours(tables::of(shape, ROWS)));
            best(|| frames::write(&client, &frame))
        }
        #[cfg(feature = "frames")]
        "frame-peer" => {
            let frame = frames::theirs(tables::of(shape, ROWS));
            let peer = frames::Peer::new(url);
            best(|| peer.write(&frame))
        }
        other => panic!("there is no contender {other}"),
    };
    println!("{} {}", time.as_nanos(), peak());
}

fn columns(client: &Client, batch: &RecordBatch) {
    let columns = Columns::new(batch).measurement("home").tags(tables::tags(batch));
    client.write(columns).send().expect("a written batch");
}

fn file(client: &Client, path: &Path) {
    let request = client.write_file(path).measurement("home").tags(["room", "floor"]);
    let report = request.precision(Precision::Nanosecond).send().expect("a written file");
    assert_eq!(report.lines, ROWS);
}

fn typed_file(client: &Client, path: &Path) {
    use influxdb3_blocking::ColumnType::{Float, Integer};
    let request = client.write_file(path).measurement("home").tags(["room", "floor"]);
    let types = request.column_type("temp", Float).column_type("hum", Float);
    let report = types.column_type("co", Integer).send().expect("a written file");
    assert_eq!(report.lines, ROWS);
}

fn big(gigabytes: u64) {
    let folder = Folder::new();
    let path = folder.0.join("big.csv");
    let rows = tables::write_csv_of(&path, gigabytes << 30).expect("a file");
    let sink = Sink::start();
    let client = Client::builder().host(sink.url()).database("db").build().expect("a client");
    let before = peak();
    let start = Instant::now();
    let request = client.write_file(&path).measurement("home").tags(["room", "floor"]);
    let report = request.send().expect("a written file");
    let time = start.elapsed();
    assert_eq!(report.lines, rows);
    let megabytes = std::fs::metadata(&path).expect("the file").len() as f64 / 1e6;
    println!(
        "{rows} rows, {megabytes:.0} MB of CSV in {:.1} s: {:.0} rows/s, {:.0} MB/s; the sink in the same process",
        time.as_secs_f64(),
        rows as f64 / time.as_secs_f64(),
        megabytes / time.as_secs_f64()
    );
    println!("peak of resident memory: {} KiB before, {} KiB after", before, peak());
}

/// The fastest of a few turns.
fn best(mut run: impl FnMut()) -> Duration {
    let turn = |_| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..TURNS).map(turn).min().unwrap_or_default()
}

/// The most memory this process has had, in KiB, where the system says it.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}

/// A folder that is gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("influxdb3-files-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind is in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const ROWS: usize = 300_000;
/// Of a process.
const TURNS: usize = 5;
/// Of processes, in turns.
const ROUNDS: usize = 3;
