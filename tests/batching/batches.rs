//! Batching: how lines come together in batches, and what is sent.

use std::io::Read;
use std::time::Duration;

use crate::support::batching::{
    Events, NEVER, assert_adds_up, client, numbers, options, point, points,
};
use crate::support::http::{Gate, Reply, Request, Server};
use influxdb3_blocking::{
    Client, ErrorKind, LineBuffer, Lines, Point, Precision, Record, Result, Timestamp,
};

fn lines(request: &Request) -> usize {
    request.text().lines().count()
}

fn sent(server: &Server) -> Vec<usize> {
    server.requests().iter().map(lines).collect()
}

#[test]
fn a_batch_leaves_at_exactly_its_size_whatever_the_calls() {
    let server = Server::accepting();
    let client = client(&server, options().batch_size(10));
    for n in 0..7 {
        client.write(point(n)).send().unwrap();
    }
    client.write(points(7..32)).send().unwrap();
    client.write("m f=32i 32\nm f=33i 33\n# no line\n\nm f=34i 34").send().unwrap();
    client.write(points(35..40)).send().unwrap();
    client.close().unwrap();
    assert_eq!(sent(&server), [10, 10, 10, 10]);
    let all: Vec<_> = server.requests().iter().flat_map(|request| numbers(&request.body)).collect();
    assert_eq!(all, (0..40).collect::<Vec<_>>(), "in order");
    assert_adds_up(&client);
}

#[test]
fn a_batch_leaves_at_its_size_in_bytes() {
    let server = Server::accepting();
    // A line of these has 8 bytes.
    let client = client(&server, options().max_batch_bytes(20));
    client.write(points(1..6)).send().unwrap();
    client.flush().unwrap();
    assert_eq!(sent(&server), [2, 2, 1]);
    client.write("a_long_line_of_more_than_20_bytes f=1 1\nm f=1 1").send().unwrap();
    client.flush().unwrap();
    assert_eq!(sent(&server), [2, 2, 1, 1, 1], "a line that is larger goes alone");
}

#[test]
fn a_batch_leaves_at_its_age_without_another_write() {
    let server = Server::accepting();
    let client = client(&server, options().flush_interval(Duration::from_millis(20)));
    for n in 1..=3 {
        client.write(point(1)).send().unwrap();
        client.write(point(2)).database("other").send().unwrap();
        server.wait_for(2 * n);
    }
    client.close().unwrap();
    assert_eq!(sent(&server), [1; 6]);
}

#[test]
fn ages_of_batches_that_are_opened_later_count_as_well() {
    let server = Server::accepting();
    let client = client(&server, options().flush_interval(Duration::from_millis(50)));
    for n in 0..20 {
        client.write(point(n)).database(format!("db{n}")).send().unwrap();
    }
    server.wait_for(20);
    client.write(point(1)).send().unwrap();
    server.wait_for(21);
    client.close().unwrap();
}

#[test]
fn whatever_changes_the_request_makes_another_batch() {
    let server = Server::accepting();
    let client = client(&server, options());
    for _ in 0..2 {
        client.write(point(1)).send().unwrap();
        client.write(point(1)).database("other").send().unwrap();
        client.write(point(1)).organization("org").send().unwrap();
        client.write(point(1)).precision(Precision::Second).send().unwrap();
        client.write(point(1)).use_v2_api(false).send().unwrap();
        client.write(point(1)).use_v2_api(false).no_sync(true).send().unwrap();
        client.write(point(1)).use_v2_api(false).accept_partial(false).send().unwrap();
        client.write(point(1)).header("x-a", "1").send().unwrap();
        client.write(point(1)).header("x-a", "2").send().unwrap();
        client.write(point(1)).timeout(Duration::from_secs(7)).send().unwrap();
    }
    client.flush().unwrap();
    assert_eq!(sent(&server), [2; 10]);
    let paths: Vec<_> = server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths[0], "/api/v2/write?bucket=db&precision=ns");
    assert_eq!(paths[1], "/api/v2/write?bucket=other&precision=ns");
    assert_eq!(paths[2], "/api/v2/write?bucket=db&org=org&precision=ns");
    assert_eq!(paths[3], "/api/v2/write?bucket=db&precision=s");
    let v3 = |accept, no_sync| {
        format!(
            "/api/v3/write_lp?db=db&precision=nanosecond&accept_partial={accept}&no_sync={no_sync}"
        )
    };
    assert_eq!(paths[4..7], [v3(true, false), v3(true, true), v3(false, false)]);
    assert_eq!(server.requests()[8].header("x-a"), Some("2"));
}

struct Reading(i64);

impl Record for Reading {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        point(self.0).encode(lines)
    }
}

#[test]
fn every_kind_of_record_is_batched() {
    let server = Server::accepting();
    let client = client(&server, options().batch_size(3));
    let mut buffer = LineBuffer::new();
    for n in 3..7 {
        let line = buffer.measurement("m").unwrap().field("f", n).unwrap();
        line.at(Timestamp::nanos(n)).unwrap();
    }
    client.write("m f=1i 1").send().unwrap();
    client.write(point(2)).send().unwrap();
    client.write(&buffer).send().unwrap();
    client.write(points(7..9)).send().unwrap();
    client.write([9, 10].into_iter().map(Reading)).send().unwrap();
    client.write(b"m f=11i 11".to_vec()).send().unwrap();
    client.close().unwrap();
    let all: Vec<_> = server.requests().iter().flat_map(|request| numbers(&request.body)).collect();
    assert_eq!(all, (1..12).collect::<Vec<_>>());
    assert_eq!(sent(&server), [3, 3, 3, 2]);
}

#[test]
fn an_error_in_a_record_takes_nothing_of_the_call() {
    let server = Server::accepting();
    let client = client(&server, options().batch_size(2));
    let bad = vec![point(1), point(2), Point::new("m\n").field("f", 1), point(3)];
    assert_eq!(client.write(bad).send().unwrap_err().kind(), ErrorKind::InvalidRecord);
    assert_eq!(client.write_stats().accepted.lines, 0);
    client.write(point(4)).send().unwrap();
    client.close().unwrap();
    assert_eq!(numbers(&server.requests()[0].body), [4], "nothing of the failed call is left");
}

/// A record that writes another one while it is encoded.
struct Nested<'a>(&'a Client, i64);

impl Record for Nested<'_> {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        self.0.write(point(self.1 + 1)).send()?;
        point(self.1).encode(lines)
    }
}

#[test]
fn a_record_may_write_while_it_is_encoded() {
    let server = Server::accepting();
    let client = client(&server, options());
    client.write(vec![Nested(&client, 10), Nested(&client, 20)]).send().unwrap();
    client.close().unwrap();
    assert_eq!(numbers(&server.requests()[0].body), [11, 21, 10, 20]);
}

#[test]
fn lines_without_a_timestamp_get_one_of_their_own_when_they_are_accepted() {
    let server = Server::accepting();
    let client = client(&server, options());
    let before = Timestamp::now().as_nanos();
    let untimed = Point::new("m").field("f", 1);
    client.write([&untimed, &untimed]).send().unwrap();
    client.write("m f=2\nm f=3 4\nm f=5").send().unwrap();
    let mut buffer = LineBuffer::new();
    buffer.measurement("m").unwrap().field("f", 6).unwrap().end().unwrap();
    client.write(&buffer).send().unwrap();
    buffer.clear();
    buffer.push_record("m f=7").unwrap();
    client.write(&buffer).send().unwrap();
    client.close().unwrap();
    let after = Timestamp::now().as_nanos();
    let mut stamps = numbers(&server.requests()[0].body);
    assert_eq!(stamps.remove(3), 4, "the line that has one keeps it");
    assert_eq!(stamps.len(), 6);
    assert!(stamps.is_sorted_by(|a, b| a < b), "{stamps:?}");
    assert!(stamps.iter().all(|stamp| (before..=after).contains(&i128::from(*stamp))));
}

#[test]
fn such_timestamps_are_in_nanoseconds_however_coarse_the_others_are() {
    let server = Server::accepting();
    let client = Client::builder()
        .host(server.url())
        .database("db")
        .precision(Precision::Second)
        .write_options(options())
        .build()
        .unwrap();
    let untimed = Point::new("m").field("f", 1);
    client.write([&untimed, &untimed, &point(7_000_000_000)]).send().unwrap();
    client.write("m f=1").send().unwrap();
    client.close().unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].path, "/api/v2/write?bucket=db&precision=s");
    assert_eq!(numbers(&requests[0].body), [7]);
    assert_eq!(requests[1].path, "/api/v2/write?bucket=db&precision=ns");
    let stamps = numbers(&requests[1].body);
    assert!(stamps.len() == 3 && stamps.is_sorted_by(|a, b| a < b), "{stamps:?}");
    assert_adds_up(&client);
}

#[test]
fn newlines_in_texts_do_not_cut_lines() {
    let server = Server::accepting();
    let client = client(&server, options().batch_size(2));
    client.write("m f=\"a\nb\" 1\nm f=\"c\nd\" 2\nm f=\"e\nf\" 3").send().unwrap();
    client.close().unwrap();
    let texts: Vec<_> = server.requests().iter().map(Request::text).collect();
    assert_eq!(texts, ["m f=\"a\nb\" 1\nm f=\"c\nd\" 2\n", "m f=\"e\nf\" 3\n"]);
}

#[test]
fn nothing_to_write_is_nothing_to_send() {
    let server = Server::accepting();
    let client = client(&server, options());
    client.write("").send().unwrap();
    client.write(Vec::<Point>::new()).send().unwrap();
    client.write([Point::new("m"), Point::new("m").field("f", f64::NAN)]).send().unwrap();
    client.flush().unwrap();
    client.close().unwrap();
    assert!(server.requests().is_empty());
    assert_eq!(client.write_stats().accepted.lines, 0);
}

#[cfg(feature = "gzip")]
#[test]
fn batches_are_compressed_as_other_writes_are() {
    let server = Server::accepting();
    let client = Client::builder()
        .host(server.url())
        .database("db")
        .gzip_threshold(100)
        .write_options(options().batch_size(50))
        .build()
        .unwrap();
    client.write(points(0..53)).send().unwrap();
    client.close().unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].header("content-encoding"), Some("gzip"));
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&requests[0].body[..]).read_to_end(&mut text).unwrap();
    assert_eq!(numbers(&text), (0..50).collect::<Vec<_>>());
    assert_eq!(requests[1].header("content-encoding"), None);
}

#[cfg(feature = "gzip")]
#[test]
fn batches_that_are_compressed_while_they_wait_are_the_same_batches() {
    let gate = Gate::default();
    let server = Server::start({
        let gate = gate.clone();
        move |n, _| match n {
            0 => Reply::After(gate.clone(), Box::new(Reply::status(204))),
            // What was compressed is sent again as it is.
            3 => Reply::status(503),
            _ => Reply::status(204),
        }
    });
    let events = Events::new();
    let client = Client::builder()
        .host(server.url())
        .database("db")
        .gzip_threshold(1)
        .write_options(events.record(options().batch_size(10)))
        .build()
        .unwrap();
    client.write(points(0..10)).send().unwrap();
    server.wait_for(1);
    for n in 10..100 {
        client.write(point(n)).send().unwrap();
    }
    gate.open();
    client.close().unwrap();
    let bodies = server.requests().into_iter().map(|request| {
        assert_eq!(request.header("content-encoding"), Some("gzip"));
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&request.body[..]).read_to_end(&mut text).unwrap();
        numbers(&text)
    });
    let mut bodies: Vec<_> = bodies.collect();
    assert_eq!(bodies.remove(3), bodies[3]);
    assert_eq!(bodies.concat(), (0..100).collect::<Vec<_>>());
    let attempts: Vec<_> = events.all().iter().map(|event| event.batch.attempts()).collect();
    assert_eq!(attempts, [1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn forty_points_in_batches_of_ten_with_jitter_are_four_successes() {
    let server = Server::accepting();
    let events = Events::new();
    let options =
        events.record(options().batch_size(10).jitter_interval(Duration::from_millis(20)));
    let client = client(&server, options);
    for n in 0..40 {
        client.write(point(n)).send().unwrap();
    }
    client.flush().unwrap();
    assert_eq!(events.names(), ["success"; 4]);
    assert_eq!(events.numbers("success"), (0..40).collect::<Vec<_>>());
    assert!(events.all().iter().all(|event| event.batch.attempts() == 1));
    client.close().unwrap();
    assert_eq!(events.count("success"), 4);
}

#[test]
fn two_clients_of_one_pool_batch_apart() {
    let server = Server::accepting();
    let first = client(&server, options().batch_size(2));
    let second = first.with_write_options(options().batch_size(3).flush_interval(NEVER)).unwrap();
    first.write(point(1)).send().unwrap();
    second.write(points(2..5)).send().unwrap();
    second.flush().unwrap();
    first.write(point(5)).send().unwrap();
    first.flush().unwrap();
    let requests = server.requests();
    assert_eq!(numbers(&requests[0].body), [2, 3, 4]);
    assert_eq!(numbers(&requests[1].body), [1, 5]);
    assert_eq!(requests[1].connection, 0, "over the same connection");
    second.close().unwrap();
    first.write(point(6)).send().unwrap();
    first.close().unwrap();
    assert_eq!(server.requests().len(), 3, "the other one stays open");
}

#[test]
fn a_client_of_a_pool_that_closes_meanwhile_is_refused_or_works() {
    let server = Server::accepting();
    for _ in 0..200 {
        let first = client(&server, options());
        let barrier = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                barrier.wait();
                first.close().unwrap();
            });
            barrier.wait();
            match first.with_write_options(options()) {
                Ok(second) => {
                    second.write(point(1)).send().unwrap();
                    second.close().unwrap();
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Closed),
            }
        });
    }
}
