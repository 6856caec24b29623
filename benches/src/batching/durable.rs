//! How long durable writes take: each is answered when the write-ahead log of the server is flushed, once a second.

use std::time::{Duration, Instant};

use influxdb3_blocking::{Client, ThreadPoolScheduler, WriteOptions};

use crate::contenders::{peer_point, point};
use crate::report::{Table, rate};
use crate::sink::Sink;

/// Core's default.
const FLUSH: Duration = Duration::from_secs(1);

/// Ways to write, in batches of 1000 as is our default.
const OURS: [(&str, fn() -> WriteOptions); 4] = [
    ("Point, default options: one worker", WriteOptions::default),
    ("Point, one worker, each batch alone", || WriteOptions::default().merge_waiting(false)),
    ("Point, eight workers", || workers(8)),
    ("Point, eight workers, each batch alone", || workers(8).merge_waiting(false)),
];

fn workers(count: usize) -> WriteOptions {
    WriteOptions::default().write_scheduler(ThreadPoolScheduler::new(count))
}

/// The same for the peer: points in a request. It has four requests under way, its default.
const THEIRS: [(&str, usize); 2] = [
    ("influxdb3-client, four requests of 1000", 1000),
    ("influxdb3-client, four requests of 5000 (its default)", 5000),
];

pub fn print(points: usize) {
    let title =
        format!("Durable writes: {points} points, each request answered at the next full second");
    let table = Table::begin("batching", &title, &["seconds", "points/s", "requests"]);
    let command = format!("durable {points}");
    let measure = |title: &str, write: &dyn Fn(&str)| {
        let sink = Sink::flushing(FLUSH);
        let start = Instant::now();
        write(&sink.url());
        let seconds = start.elapsed().as_secs_f64();
        let (requests, _) = sink.counted();
        let cells = [format!("{seconds:.1}"), rate(points as f64 / seconds), requests.to_string()];
        table.row(title, &cells, &command);
    };
    for (title, options) in OURS {
        measure(title, &|url| ours(url, points, options()));
    }
    for (title, batch) in THEIRS {
        measure(title, &|url| theirs(url, points, batch));
    }
}

fn ours(url: &str, points: usize, options: WriteOptions) {
    let client = Client::builder().host(url).database("bench").write_options(options);
    let client = client.build().expect("a client");
    for number in 0..points {
        client.write(point(number)).send().expect("accepted");
    }
    client.flush().expect("everything written");
    assert_eq!(client.write_stats().written.lines, points as u64);
    client.close().expect("closed");
}

/// Given all points at once, which it likes best.
fn theirs(url: &str, points: usize, batch: usize) {
    use influxdb3_client::{Client, ClientConfig, WriteOptions};
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let options = WriteOptions { batch_size: batch, ..WriteOptions::default() };
    let config = ClientConfig::builder().host(url).token("t").database("bench");
    let config = config.write_options(options).build().expect("a configuration");
    runtime.block_on(async {
        let client = Client::new(config).await.expect("a client");
        let points: Vec<_> = (0..points).map(peer_point).collect();
        client.write(points).await.expect("written");
    });
}
