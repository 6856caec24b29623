//! Small queries: warm, cold, and over a link with a delay.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::contenders::{Python, client, peer_client, runtime};

const SMALL: &str = "..numbers 100 1..";
const LARGE: &str = "..numbers 65536 40..";

pub fn run(flight: u16, python: Option<&str>) {
    let far = delayed(flight, Duration::from_millis(25));
    for (title, port, warm, cold) in [
        ("on this machine", flight, 2000, 100),
        ("over a link with a round trip of 50 ms", far, 20, 5),
    ] {
        println!("\none batch of 100 rows, {title}");
        println!("{:30} {:>10} {:>10} {:>14}", "", "p50", "p99", "cold p50");
        let host = format!("http://127.0.0.1:{port}");

        let ours = client(&host);
        let times = measure(warm, || drop(ours.query(SMALL).table().unwrap()));
        let fresh = measure(cold, || drop(client(&host).query(SMALL).table().unwrap()));
        show("this crate", times, fresh);

        let runtime = runtime();
        let peer = peer_client(&runtime, &host);
        let times =
            measure(warm, || drop(runtime.block_on(async { peer.sql(SMALL).await.unwrap() })));
        let fresh = measure(cold, || {
            let peer = peer_client(&runtime, &host);
            drop(runtime.block_on(async { peer.sql(SMALL).await.unwrap() }));
        });
        show("async client", times, fresh);

        if let Some(python) = python {
            let mut python = Python::start(python, port);
            let mut ask = |mode: &str, count: usize| -> Vec<Duration> {
                let answer = python.ask(&format!("{mode} {count} {SMALL}")).unwrap_err();
                answer
                    .split_whitespace()
                    .map(|text| Duration::from_secs_f64(text.parse().unwrap()))
                    .collect()
            };
            ask("times", 20);
            let (times, fresh) = (ask("times", warm), ask("cold", cold));
            show("Python on pyarrow", times, fresh);
        }
    }
    let far = delayed(flight, Duration::from_millis(50));
    let client = client(&format!("http://127.0.0.1:{far}"));
    drop(client.query(SMALL).table().unwrap());
    let start = Instant::now();
    let rows = client.query(LARGE).table().unwrap().num_rows();
    let seconds = start.elapsed().as_secs_f64();
    let megabytes = rows as f64 * 40.0 / 1e6;
    println!(
        "\none stream of {megabytes:.0} MB over a round trip of 100 ms: {:.0} MB/s",
        megabytes / seconds
    );
}

fn measure(count: usize, mut query: impl FnMut()) -> Vec<Duration> {
    for _ in 0..(count / 10).max(1) {
        query();
    }
    let time = |_| {
        let start = Instant::now();
        query();
        start.elapsed()
    };
    (0..count).map(time).collect()
}

fn show(title: &str, mut times: Vec<Duration>, mut fresh: Vec<Duration>) {
    times.sort();
    fresh.sort();
    let at = |times: &[Duration], percent: usize| {
        times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e6
    };
    println!(
        "{title:30} {:7.0} us {:7.0} us {:11.0} us",
        at(&times, 50),
        at(&times, 99),
        at(&fresh, 50)
    );
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
