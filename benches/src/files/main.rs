//! How fast tables and files are written to a server that takes everything and stores nothing, and who else can do it.
//!
//! `cargo run --release --bin files` writes record batches and files.
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
#[path = "../sink.rs"]
mod sink;
mod tables;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use influxdb3_blocking::{Client, Columns, Precision};
use sink::Sink;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => all(),
        ["big", gigabytes] => big(gigabytes.parse().expect("a number of GB")),
        // What a process of a contender is started with.
        ["run", contender, shape, url, path] => run(contender, shape, url, Path::new(path)),
        _ => eprintln!("usage: files [big GIGABYTES]"),
    }
}

fn all() {
    let sink = Sink::start();
    let folder = Folder::new();
    println!("{ROWS} rows; the sink in another process\n");
    println!("{:58} {:>12} {:>9} {:>9} {:>9}", "", "rows/s", "times", "ns/row", "peak MiB");
    let path = folder.0.join("none");
    for shape in tables::SHAPES {
        let batch = measure("columns", shape, &sink, &path);
        report(&format!("record batch, {shape}"), &batch, None);
        if cfg!(feature = "frames") {
            let peer = measure("frame-peer", shape, &sink, &path);
            report(&format!("  influxdb3-client, polars, {shape}"), &peer, None);
            let ours = measure("frame", shape, &sink, &path);
            report(&format!("  data frame, {shape}"), &ours, Some(&peer));
        }
    }
    let csv = folder.0.join("home.csv");
    tables::write_csv(&csv, ROWS).expect("a file");
    let parquet = folder.0.join("home.parquet");
    tables::write_parquet(&parquet, &tables::home(ROWS)).expect("a file");
    for path in [&csv, &parquet] {
        let name = path.extension().unwrap_or_default().to_string_lossy();
        let peer = std::env::var_os("PYTHON").map(|python| {
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/write_file.py");
            let mut command = Command::new(python);
            command.arg(script).arg(sink.url()).arg(path);
            measured(command, &sink)
        });
        if let Some(peer) = &peer {
            report(&format!("{name}, the Python client's write_file"), peer, None);
        }
        report(&format!("{name}, write_file"), &measure("file", "", &sink, path), peer.as_ref());
        if name == "csv" {
            let ours = measure("typed-file", "", &sink, path);
            report(&format!("{name}, write_file, types given"), &ours, peer.as_ref());
        }
    }
}

/// What the process of a contender says: the time of its best turn, and its peak.
struct Measured {
    nanos: f64,
    peak_kib: f64,
}

fn measure(contender: &str, shape: &str, sink: &Sink, path: &Path) -> Measured {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.args(["run", contender, shape, &sink.url()]).arg(path);
    measured(command, sink)
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

fn report(name: &str, measured: &Measured, peer: Option<&Measured>) {
    let nanos = measured.nanos / ROWS as f64;
    let times = peer.map_or(String::new(), |peer| format!("{:.1}", peer.nanos / measured.nanos));
    let peak = measured.peak_kib / 1024.0;
    println!("{name:58} {:12.0} {times:>9} {nanos:9.1} {peak:9.1}", 1e9 / nanos);
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
const TURNS: usize = 5;
