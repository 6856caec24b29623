//! Everyone who can bring points to a server.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use influxdb3_blocking::{Client, LineBuffer, Point, Timestamp, WriteOptions};

pub struct Contender {
    pub id: &'static str,
    pub title: &'static str,
    /// Builds the points, writes them to the server at this address, and returns when all are there.
    pub run: fn(&str, &Load),
}

pub struct Load {
    pub producers: usize,
    pub gzip: bool,
    pub points: usize,
}

pub const CONTENDERS: &[Contender] = &[
    Contender { id: "peer", title: "influxdb3-client, vectors of 5000 (its default)", run: peer },
    Contender {
        id: "peer-1000",
        title: "influxdb3-client, vectors of 1000",
        run: peer_in_thousands,
    },
    Contender { id: "points", title: "Point, each written by itself", run: points },
    Contender { id: "buffer", title: "LineBuffer, 1000 lines each", run: buffer },
    Contender { id: "lines", title: "LineBuffer, each line written by itself", run: lines },
    Contender { id: "socket", title: "plain socket, 1000 lines each that are there", run: socket },
];

/// The values of a reading: the same for everybody, and cheap to come by.
struct Reading {
    room: &'static str,
    sensor: &'static str,
    temp: f64,
    hum: f64,
    co: i64,
    nanos: i64,
}

fn reading(number: usize) -> Reading {
    const ROOMS: [&str; 4] = ["Kitchen", "Bathroom", "Office", "Garage"];
    const SENSORS: [&str; 8] = ["s01", "s02", "s03", "s04", "s05", "s06", "s07", "s08"];
    let random = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7;
    Reading {
        room: ROOMS[(random % 4) as usize],
        sensor: SENSORS[(random >> 8 & 7) as usize],
        temp: (random >> 20 & 0xfff) as f64 / 100.0,
        hum: (random >> 33 & 0xff_ffff) as f64 / 7e5,
        co: (random >> 40 & 1023) as i64,
        nanos: 1_700_000_000_000_000_000 + number as i64 * 1_000_003,
    }
}

pub fn point(number: usize) -> Point {
    let Reading { room, sensor, temp, hum, co, nanos } = reading(number);
    Point::new("home")
        .tag("room", room)
        .tag("sensor", sensor)
        .field("temp", temp)
        .field("hum", hum)
        .field("co", co)
        .time(Timestamp::nanos(nanos))
}

pub fn peer_point(number: usize) -> influxdb3_client::Point {
    let Reading { room, sensor, temp, hum, co, nanos } = reading(number);
    influxdb3_client::Point::new("home")
        .tag("room", room)
        .tag("sensor", sensor)
        .field("temp", temp)
        .field("hum", hum)
        .field("co", co)
        .timestamp_nanos(nanos)
}

/// Has each producer, on a thread of its own, write its share.
fn ours(url: &str, load: &Load, produce: impl Fn(&Client, std::ops::Range<usize>) + Sync) {
    let mut builder = Client::builder()
        .host(url)
        .database("bench")
        .write_options(WriteOptions::default().flush_interval(Duration::from_secs(10)));
    if load.gzip {
        builder = builder.gzip_threshold(1000);
    }
    let client = builder.build().expect("a client");
    let share = load.points / load.producers;
    thread::scope(|scope| {
        for producer in 0..load.producers {
            let (client, produce) = (client.clone(), &produce);
            scope.spawn(move || produce(&client, producer * share..(producer + 1) * share));
        }
    });
    client.close().expect("everything written");
    assert_eq!(client.write_stats().written.lines, (share * load.producers) as u64);
}

fn points(url: &str, load: &Load) {
    ours(url, load, |client, range| {
        for number in range {
            client.write(point(number)).send().expect("accepted");
        }
    });
}

fn add_line(buffer: &mut LineBuffer, number: usize) -> influxdb3_blocking::Result<()> {
    let Reading { room, sensor, temp, hum, co, nanos } = reading(number);
    buffer
        .measurement("home")?
        .tag("room", room)?
        .tag("sensor", sensor)?
        .field("temp", temp)?
        .field("hum", hum)?
        .field("co", co)?
        .at(Timestamp::nanos(nanos))
}

fn buffer(url: &str, load: &Load) {
    ours(url, load, |client, range| {
        let mut buffer = LineBuffer::new();
        for number in range {
            add_line(&mut buffer, number).expect("a line");
            if buffer.lines() == 1000 {
                client.write(&buffer).send().expect("accepted");
                buffer.clear();
            }
        }
        client.write(&buffer).send().expect("accepted");
    });
}

fn lines(url: &str, load: &Load) {
    ours(url, load, |client, range| {
        let mut buffer = LineBuffer::new();
        for number in range {
            add_line(&mut buffer, number).expect("a line");
            client.write(&buffer).send().expect("accepted");
            buffer.clear();
        }
    });
}

/// What nobody can do without: the same number of bytes over a socket for each producer, as requests, each answered before
/// the next. Nothing is encoded, so with gzip there are the bytes of before.
fn socket(url: &str, load: &Load) {
    const LINES: usize = 1000;
    let mut lines = LineBuffer::new();
    (0..LINES).for_each(|number| add_line(&mut lines, number).expect("a line"));
    let head = format!(
        "POST /api/v2/write?bucket=bench HTTP/1.1\r\nhost: bench\r\ncontent-length: {}\r\n\r\n",
        lines.len()
    );
    let request = [head.as_bytes(), lines.as_bytes()].concat();
    let address = url.strip_prefix("http://").expect("a URL");
    thread::scope(|scope| {
        for _ in 0..load.producers {
            scope.spawn(|| {
                let mut stream = TcpStream::connect(address).expect("a connection");
                stream.set_nodelay(true).expect("a setting");
                let mut answer = [0; 256];
                for _ in 0..load.points / load.producers / LINES {
                    stream.write_all(&request).expect("sent");
                    let mut read = 0;
                    while !answer[..read].ends_with(b"\r\n\r\n") {
                        read += stream.read(&mut answer[read..]).expect("an answer");
                    }
                }
            });
        }
    });
}

fn peer(url: &str, load: &Load) {
    theirs(url, load, 5000);
}

fn peer_in_thousands(url: &str, load: &Load) {
    theirs(url, load, 1000);
}

/// It has no batching, so the points are collected here.
fn theirs(url: &str, load: &Load, batch: usize) {
    use influxdb3_client::{Client, ClientConfig, WriteOptions};
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let config = ClientConfig::builder()
        .host(url)
        .token("t")
        .database("bench")
        .write_options(WriteOptions {
            gzip_threshold: load.gzip.then_some(1000),
            ..WriteOptions::default()
        })
        .build()
        .expect("a configuration");
    let client = Arc::new(runtime.block_on(Client::new(config)).expect("a client"));
    let share = load.points / load.producers;
    let produce = |producer: usize| {
        let client = client.clone();
        async move {
            let mut points = Vec::with_capacity(batch);
            for number in producer * share..(producer + 1) * share {
                points.push(peer_point(number));
                if points.len() == batch {
                    let full = std::mem::replace(&mut points, Vec::with_capacity(batch));
                    client.write(full).await.expect("written");
                }
            }
            if !points.is_empty() {
                client.write(points).await.expect("written");
            }
        }
    };
    let tasks: Vec<_> =
        (0..load.producers).map(|producer| runtime.spawn(produce(producer))).collect();
    for task in tasks {
        runtime.block_on(task).expect("a producer");
    }
}
