//! Small queries: warm, cold, and over a link with a delay.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::contenders::{Python, client, peer_client, runtime};
use crate::report::{Table, median, rate};

const SMALL: &str = "..numbers 100 1..";
const LARGE: &str = "..numbers 65536 40..";
const ROUNDS: usize = 5;

pub fn run(flight: u16, python: Option<&str>) {
    let far = delayed(flight, Duration::from_millis(25));
    for (title, port, warm, cold) in [
        ("on this machine", flight, 2000, 200),
        ("over a link with a round trip of 50 ms", far, 20, 5),
    ] {
        let host = format!("http://127.0.0.1:{port}");
        let runtime = runtime();
        let (ours, peer) = (client(&host), peer_client(&runtime, &host));
        let mut python = python.map(|python| Python::start(python, port));
        let mut contenders: Vec<Contender<'_>> = vec![
            Contender::new(
                "this crate",
                |count| measure(count, || drop(ours.query(SMALL).table().unwrap())),
                |count| measure(count, || drop(client(&host).query(SMALL).table().unwrap())),
            ),
            Contender::new(
                "influxdb3-client",
                |count| {
                    measure(count, || {
                        drop(runtime.block_on(async { peer.sql(SMALL).await.unwrap() }));
                    })
                },
                |count| {
                    measure(count, || {
                        let peer = peer_client(&runtime, &host);
                        drop(runtime.block_on(async { peer.sql(SMALL).await.unwrap() }));
                    })
                },
            ),
        ];
        // In turns, a part of the queries each.
        for round in 0..=ROUNDS {
            for contender in &mut contenders {
                let warm = (contender.warm)((warm / ROUNDS).max(1));
                let cold = (contender.cold)((cold / ROUNDS).max(1));
                // The first round warms up.
                if round > 0 {
                    contender.warm_times.extend(warm);
                    contender.cold_times.extend(cold);
                }
            }
        }
        let title = format!("A query of 100 rows, {title}");
        let columns = ["µs, median", "99 of 100", "a client of its own, median"];
        let table = Table::begin("query", &title, &columns);
        for contender in contenders {
            show(&table, contender.title, contender.warm_times, contender.cold_times);
        }
        if let Some(python) = &mut python {
            let mut ask = |mode: &str, count: usize| -> Vec<Duration> {
                let answer = python.ask(&format!("{mode} {count} {SMALL}")).unwrap_err();
                let times = answer.split_whitespace();
                times.map(|text| Duration::from_secs_f64(text.parse().unwrap())).collect()
            };
            ask("times", 20);
            let (times, fresh) = (ask("times", warm), ask("cold", cold));
            show(&table, "Python on pyarrow", times, fresh);
        }
    }
    let far = delayed(flight, Duration::from_millis(50));
    let client = client(&format!("http://127.0.0.1:{far}"));
    drop(client.query(SMALL).table().unwrap());
    let start = Instant::now();
    let rows = client.query(LARGE).table().unwrap().num_rows();
    let seconds = start.elapsed().as_secs_f64();
    let megabytes = rows as f64 * 40.0 / 1e6;
    let title = format!("A query of {megabytes:.0} MB over a link with a round trip of 100 ms");
    let table = Table::begin("query", &title, &["MB/s", "rows/s"]);
    let cells = [format!("{:.0}", megabytes / seconds), rate(rows as f64 / seconds)];
    table.row("this crate, table", &cells, "latency");
}

/// Warm, with a client that has asked before, and cold, with a new one for each query: so many queries.
struct Contender<'a> {
    title: &'static str,
    warm: Box<dyn FnMut(usize) -> Vec<Duration> + 'a>,
    cold: Box<dyn FnMut(usize) -> Vec<Duration> + 'a>,
    warm_times: Vec<Duration>,
    cold_times: Vec<Duration>,
}

impl<'a> Contender<'a> {
    fn new(
        title: &'static str,
        warm: impl FnMut(usize) -> Vec<Duration> + 'a,
        cold: impl FnMut(usize) -> Vec<Duration> + 'a,
    ) -> Self {
        let (warm, cold) = (Box::new(warm), Box::new(cold));
        Self { title, warm, cold, warm_times: Vec::new(), cold_times: Vec::new() }
    }
}

fn measure(count: usize, mut query: impl FnMut()) -> Vec<Duration> {
    let time = |_| {
        let start = Instant::now();
        query();
        start.elapsed()
    };
    (0..count).map(time).collect()
}

fn show(table: &Table, title: &str, mut warm: Vec<Duration>, cold: Vec<Duration>) {
    warm.sort();
    let micros = |time: &Duration| time.as_secs_f64() * 1e6;
    let last = micros(&warm[(warm.len() - 1) * 99 / 100]);
    let cells = [
        median(warm.iter().map(micros).collect()),
        last,
        median(cold.iter().map(micros).collect()),
    ];
    table.row(title, &cells.map(|micros| format!("{micros:.0}")), "latency");
}

/// A port that leads to another one, each byte coming so much later, in each direction.
fn delayed(port: u16, delay: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            for (from, to) in
                [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
            {
                to.set_nodelay(true).unwrap();
                carry(from, to, delay);
            }
        }
    });
    own
}

fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 20];
        while let Ok(count) = from.read(&mut buffer) {
            if count == 0
                || sender.send((Instant::now() + delay, buffer[..count].to_vec())).is_err()
            {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
