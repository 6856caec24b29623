//! Batching: a server that comes and goes. Nothing is lost, and in its tables nothing is there twice.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use crate::support::batching::assert_adds_up;
use crate::support::http::{Reply, Request, Server};
use influxdb3_blocking::{Client, Point, ThreadPoolScheduler, Timestamp, WriteOptions};
use influxdb3_dev_server::DevServer;

/// Passes a request on and returns the answer.
fn forward(to: SocketAddr, request: &Request) -> Reply {
    let mut head = format!("POST {} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n", request.path);
    for (name, value) in &request.headers {
        if ["content-length", "content-encoding", "content-type"].contains(&name.as_str()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    let mut stream = TcpStream::connect(to).unwrap();
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.write_all(&request.body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer);
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    Reply::text(status, text.split_once("\r\n\r\n").unwrap().1)
}

/// All kinds of trouble in turn, and an honest answer often enough.
fn trouble(to: SocketAddr) -> impl FnMut(usize, &Request) -> Reply + Send + 'static {
    move |n, request| match n % 9 {
        1 => Reply::status(503),
        2 => Reply::Answer(429, vec![("retry-after", "0".into())], vec![]),
        4 => {
            // It is stored, and the client cannot know.
            forward(to, request);
            Reply::Close
        }
        6 => {
            forward(to, request);
            Reply::status(500)
        }
        7 => Reply::Close,
        _ => forward(to, request),
    }
}

/// Each batch goes as a request of its own, so that there are many of them.
fn options() -> WriteOptions {
    WriteOptions::default()
        .merge_waiting(false)
        .batch_size(50)
        .buffer_limit(32 << 10)
        .flush_interval(Duration::from_millis(20))
        .retry_interval(Duration::from_millis(2))
        .max_retry_delay(Duration::from_millis(20))
        .max_retries(u32::MAX)
        .max_retry_time(Duration::from_secs(3600))
}

/// Half of them have no timestamp.
fn point(n: i64) -> Point {
    let point = Point::new("m").tag("room", "kitchen").field("f", n);
    if n % 2 == 0 { point } else { point.time(Timestamp::nanos(n)) }
}

/// Writes through a door in front of a real server, while `disturb` disturbs the door.
fn write_through(
    points: i64,
    options: WriteOptions,
    disturb: impl FnOnce(Server, &DevServer) -> Server + Send,
) -> (Client, DevServer) {
    let server = DevServer::start().unwrap();
    let door = Server::start(trouble(server.addr()));
    let client = Client::builder()
        .host(door.url())
        .database("db")
        .write_timeout(Duration::from_millis(500))
        .write_options(options)
        .build()
        .unwrap();
    let door = thread::scope(|scope| {
        let disturbing = scope.spawn(|| disturb(door, &server));
        for n in 0..points {
            client.write(point(n)).send().unwrap();
        }
        disturbing.join().unwrap()
    });
    client.close().unwrap();
    drop(door);
    (client, server)
}

fn assert_all_once(points: i64, client: &Client, server: &DevServer) {
    assert_eq!(server.rows("db", "m"), points as usize);
    let stats = client.write_stats();
    assert_eq!(stats.written.lines, points as u64, "{stats:?}");
    assert!(stats.retries > 0);
    assert_adds_up(client);
}

#[test]
fn answers_that_fail_or_get_lost_lose_and_double_nothing() {
    for merge in [false, true] {
        let (client, server) = write_through(3000, options().merge_waiting(merge), |door, _| door);
        assert_all_once(3000, &client, &server);
    }
}

#[test]
fn connections_that_are_cut_in_the_middle_of_a_body_lose_nothing() {
    let (client, server) = write_through(3000, options(), |door, _| {
        door.cut_every(4);
        door.wait_for(40);
        door
    });
    assert_all_once(3000, &client, &server);
}

#[test]
fn a_server_that_restarts_on_the_same_port_finds_everything() {
    let (client, server) = write_through(6000, options(), |mut door, server| {
        for _ in 0..4 {
            door.wait_for(15);
            let address = door.address();
            drop(door);
            // Nobody listens now, and then somebody does who only stalls.
            let stalling = Server::start_at(&address.to_string(), |_, _| Reply::Stall);
            stalling.wait_for(1);
            drop(stalling);
            door = Server::start_at(&address.to_string(), trouble(server.addr()));
        }
        door
    });
    assert_all_once(6000, &client, &server);
}

#[test]
fn several_workers_lose_and_double_nothing_either() {
    for merge in [false, true] {
        let options = options().write_scheduler(ThreadPoolScheduler::new(4)).merge_waiting(merge);
        let (client, server) = write_through(3000, options, |door, _| door);
        assert_all_once(3000, &client, &server);
    }
}

#[test]
fn a_bad_line_costs_no_other_on_either_endpoint() {
    for is_v2 in [true, false] {
        let server = DevServer::start().unwrap();
        let client = Client::builder()
            .host(server.url())
            .database("db")
            .use_v2_api(is_v2)
            .write_options(WriteOptions::default().batch_size(500))
            .build()
            .unwrap();
        client.write("m,room=kitchen f=1i 1").send().unwrap();
        client.flush().unwrap();
        for n in 2..=500 {
            let is_bad = [77, 300, 301].contains(&n);
            let value = if is_bad { "\"text\"".to_owned() } else { format!("{n}i") };
            client.write(format!("m,room=kitchen f={value} {n}")).send().unwrap();
        }
        let error = client.flush().unwrap_err();
        let lines: Vec<_> = error.line_errors().iter().filter_map(|line| line.line()).collect();
        let bad = [77, 300, 301].map(|n| format!("m,room=kitchen f=\"text\" {n}"));
        assert_eq!(lines, bad, "v2: {is_v2}");
        assert_eq!(server.rows("db", "m"), 497);
        let stats = client.write_stats();
        assert_eq!((stats.written.lines, stats.rejected.lines), (497, 3));
        client.close().unwrap();
    }
}

#[cfg(feature = "query")]
#[test]
fn what_is_flushed_can_be_queried() {
    let server = DevServer::start().unwrap();
    let client = Client::builder()
        .host(server.url())
        .database("db")
        .write_options(WriteOptions::default())
        .build()
        .unwrap();
    for n in 1..4 {
        client.write(point(n)).send().unwrap();
        client.flush().unwrap();
        let table = client.query("SELECT f FROM m").table().unwrap();
        assert_eq!(table.num_rows(), n as usize);
    }
    client.close().unwrap();
}
