//! Batching: flush, close and drop, and what they say about what went wrong.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use crate::support::batching::{
    Events, NEVER, assert_adds_up, client, client_at, numbers, options, point, points,
};
use crate::support::http::{Gate, Reply, Server, unused_port};
use influxdb3_blocking::{Client, ErrorKind, Point};

fn stored(server: &Server) -> Vec<i64> {
    server.requests().iter().flat_map(|request| numbers(&request.body)).collect()
}

#[test]
fn ten_thousand_points_in_batches_of_a_hundred_are_all_there_after_close() {
    let server = Server::accepting();
    let client = client(&server, options().batch_size(100));
    for n in 0..10_000 {
        client.write(point(n)).send().unwrap();
    }
    client.close().unwrap();
    assert_eq!(server.requests().len(), 100);
    assert_eq!(stored(&server), (0..10_000).collect::<Vec<_>>());
    assert_eq!(client.write_stats().written.lines, 10_000);
    assert_adds_up(&client);
}

#[test]
fn flush_write_flush() {
    let server = Server::accepting();
    let client = client(&server, options());
    client.flush().unwrap();
    client.write(points(0..5)).send().unwrap();
    client.flush().unwrap();
    assert_eq!(server.requests().len(), 1);
    client.write(points(5..10)).send().unwrap();
    client.flush().unwrap();
    assert_eq!(server.requests().len(), 2);
    client.flush().unwrap();
    client.close().unwrap();
    assert_eq!(stored(&server), (0..10).collect::<Vec<_>>());
}

#[test]
fn flush_waits_for_retries() {
    let server = Server::start(|n, _| Reply::status(if n < 3 { 503 } else { 204 }));
    let client = client(&server, options());
    client.write(point(1)).send().unwrap();
    client.flush().unwrap();
    assert_eq!((server.requests().len(), client.write_stats().written.lines), (4, 1));
}

#[test]
fn flush_does_not_wait_for_what_comes_later() {
    let gate = Gate::default();
    let server = Server::start({
        let gate = gate.clone();
        move |n, _| match n {
            0 => Reply::status(204),
            _ => Reply::After(gate.clone(), Box::new(Reply::status(204))),
        }
    });
    let client = client(&server, options().batch_size(1));
    client.write(point(1)).send().unwrap();
    server.wait_for(1);
    client.flush().unwrap();
    client.write(point(2)).send().unwrap();
    server.wait_for(2);
    let stats = client.write_stats();
    assert_eq!((stats.written.lines, stats.pending.lines), (1, 1));
    gate.open();
    client.close().unwrap();
}

#[test]
fn any_number_of_threads_may_flush_while_others_write() {
    let server = Server::accepting();
    let client = client(&server, options().batch_size(7));
    thread::scope(|scope| {
        for thread in 0..4 {
            let client = &client;
            scope.spawn(move || {
                for n in 0..50 {
                    let number = thread * 1000 + n;
                    client.write(point(number)).send().unwrap();
                    if n % 5 == 0 {
                        client.flush().unwrap();
                    }
                }
            });
        }
    });
    client.close().unwrap();
    let mut all = stored(&server);
    all.sort_unstable();
    let expected: Vec<i64> = (0..4).flat_map(|t| t * 1000..t * 1000 + 50).collect();
    assert_eq!(all, expected);
}

#[test]
fn what_is_flushed_is_written_when_flush_returns() {
    let stored = std::sync::Arc::new(Mutex::new(Vec::new()));
    let server = Server::start({
        let stored = stored.clone();
        move |n, request| {
            if n % 2 == 0 {
                return Reply::status(503);
            }
            stored.lock().unwrap().extend(numbers(&request.body));
            Reply::status(204)
        }
    });
    let client = client(&server, options().batch_size(3));
    for n in 0..10 {
        client.write(point(n)).send().unwrap();
        client.flush().unwrap();
        assert!(stored.lock().unwrap().contains(&n));
    }
}

#[test]
fn a_failure_that_no_callback_took_comes_back_with_the_data() {
    let server = Server::start(|n, _| Reply::status(if n == 0 { 401 } else { 204 }));
    let client = client(&server, options().batch_size(2));
    client.write(points(0..2)).send().unwrap();
    server.wait_for(1);
    // The failure is there soon after its answer; each call before takes a point.
    let (error, taken) =
        (2..).find_map(|n| Some((client.write(point(n)).send().err()?, n))).unwrap();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    let unsent: Vec<_> = error.unsent().iter().flat_map(|b| numbers(b.line_protocol())).collect();
    assert_eq!(unsent, [0, 1, taken], "what failed, and what the call did not accept");
    for batch in error.into_unsent() {
        client.write(batch).send().unwrap();
    }
    client.close().unwrap();
    let mut all: Vec<_> = stored(&server).split_off(2);
    all.sort_unstable();
    assert_eq!(all, (0..=taken).collect::<Vec<_>>());
    let stats = client.write_stats();
    assert_eq!(stats.failed.lines, 2);
    assert_adds_up(&client);
}

#[test]
fn each_failure_is_told_once() {
    let server = Server::start(|_, _| Reply::status(400));
    let client = client(&server, options());
    client.write(point(1)).send().unwrap();
    assert_eq!(client.flush().unwrap_err().kind(), ErrorKind::Rejected);
    client.flush().unwrap();
    client.write(point(2)).send().unwrap();
    let error = client.close().unwrap_err();
    assert_eq!(numbers(error.unsent()[0].line_protocol()), [2]);
    client.close().unwrap();
}

#[test]
fn with_an_error_callback_nothing_comes_back() {
    let server = Server::start(|_, _| Reply::status(400));
    let events = Events::new();
    let client = client(&server, events.record(options()));
    client.write(point(1)).send().unwrap();
    client.flush().unwrap();
    client.write(point(2)).send().unwrap();
    client.close().unwrap();
    assert_eq!(events.numbers("error"), [1, 2]);
}

#[test]
fn close_hands_back_what_could_not_be_sent() {
    let port = unused_port();
    let url = format!("http://127.0.0.1:{port}");
    let long = Duration::from_secs(3000);
    let options =
        options().retry_interval(long).max_retry_delay(long).max_retry_time(NEVER).batch_size(2);
    let client = client_at(&url, options.max_close_wait(Duration::from_millis(300)));
    client.write(points(0..5)).send().unwrap();
    let error = client.close().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("5 lines could not be written before"), "{error}");
    let unsent: Vec<_> = error.unsent().iter().flat_map(|b| numbers(b.line_protocol())).collect();
    assert_eq!(unsent, [0, 1, 2, 3, 4], "in order");
    assert_eq!(client.write_stats().returned.lines, 5);
    assert_adds_up(&client);

    let server = Server::start_at(&format!("127.0.0.1:{port}"), |_, _| Reply::status(204));
    let second = client_at(&server.url(), crate::support::batching::options());
    second.write(error.unsent()).send().unwrap();
    second.close().unwrap();
    assert_eq!(stored(&server), [0, 1, 2, 3, 4]);
}

#[test]
fn close_does_not_wait_for_a_retry_that_would_come_too_late_but_tries_once_more() {
    let server = Server::start(|n, _| Reply::status(if n == 0 { 503 } else { 204 }));
    let long = Duration::from_secs(3000);
    let events = Events::new();
    let options = options().retry_interval(long).max_retry_delay(long).max_retry_time(NEVER);
    let client = client(&server, events.record(options.max_close_wait(Duration::from_secs(60))));
    client.write(point(1)).send().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| client.flush().unwrap());
        events.wait_for("retry", 1);
        client.close().unwrap();
    });
    assert_eq!(events.names(), ["retry", "success"]);
    assert_eq!(client.write_stats().written.lines, 1);
}

#[test]
fn close_waits_for_a_retry_that_comes_in_time() {
    let server = Server::start(|n, _| Reply::status(if n < 2 { 503 } else { 204 }));
    let client = client(&server, options());
    client.write(point(1)).send().unwrap();
    client.close().unwrap();
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn close_is_bounded_by_its_limit_when_the_server_stalls() {
    let server = Server::start(|_, _| Reply::Stall);
    let options = options().batch_size(2).max_close_wait(Duration::from_millis(200));
    let client = client(&server, options);
    client.write(points(0..3)).send().unwrap();
    server.wait_for(1);
    let error = client.close().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.in_doubt(), "the first batch may be stored");
    let unsent: Vec<_> = error.unsent().iter().flat_map(|b| numbers(b.line_protocol())).collect();
    assert_eq!(unsent, [0, 1, 2]);
    assert_eq!((client.write_stats().returned.lines, server.requests().len()), (3, 1));
    assert_adds_up(&client);
}

#[test]
fn with_no_time_to_close_everything_comes_back() {
    let server = Server::start(|_, _| Reply::Stall);
    let client = client(&server, options().max_close_wait(Duration::ZERO));
    client.write(points(0..3)).send().unwrap();
    let error = client.close().unwrap_err();
    assert_eq!(error.unsent().iter().map(|batch| batch.lines()).sum::<usize>(), 3);
    assert_adds_up(&client);
}

#[test]
fn close_does_not_wait_for_jitter() {
    let server = Server::accepting();
    let client = client(&server, options().jitter_interval(NEVER));
    client.write(point(1)).send().unwrap();
    client.close().unwrap();
    assert_eq!(stored(&server), [1]);
}

#[test]
fn a_closed_client_gives_the_lines_back() {
    let server = Server::accepting();
    let client = client(&server, options());
    let clone = client.clone();
    client.write(point(1)).send().unwrap();
    client.close().unwrap();
    client.close().unwrap();
    clone.close().unwrap();
    let error = clone.write([point(2), point(3)]).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert_eq!(numbers(error.unsent()[0].line_protocol()), [2, 3]);
    assert_eq!(clone.flush().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(clone.with_write_options(options()).unwrap_err().kind(), ErrorKind::Closed);
    let synchronous = Client::builder().host(server.url()).database("db").build().unwrap();
    synchronous.close().unwrap();
    let error = synchronous.write(point(2)).send().unwrap_err();
    assert_eq!((error.kind(), error.unsent().len()), (ErrorKind::Closed, 1));
    assert_eq!(stored(&server), [1]);
}

#[test]
fn threads_that_close_together_all_wait_and_one_is_told() {
    let server = Server::start(|_, _| Reply::status(401));
    let client = client(&server, options().batch_size(1));
    client.write(points(0..3)).send().unwrap();
    let results: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| client.close())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let errors: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    let unsent: usize =
        errors.iter().flat_map(|error| error.unsent()).map(|batch| batch.lines()).sum();
    assert!(unsent == 3 && errors.len() <= 3, "{errors:?}");
}

#[test]
fn dropping_the_last_clone_sends_what_is_left() {
    let server = Server::start(|n, _| Reply::status(if n == 0 { 503 } else { 204 }));
    let first = client(&server, options());
    let second = first.clone();
    first.write(points(0..3)).send().unwrap();
    drop(first);
    assert!(server.requests().is_empty(), "the other one is there");
    drop(second);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn dropping_is_bounded_and_tells_the_error_callback_what_is_lost() {
    let server = Server::start(|_, _| Reply::Stall);
    let events = Events::new();
    let options = events.record(options().max_close_wait(Duration::from_millis(100)));
    let client = client(&server, options);
    client.write(points(0..3)).send().unwrap();
    drop(client);
    assert_eq!(events.numbers("error"), [0, 1, 2]);
}

#[test]
fn during_a_panic_there_is_one_try_without_waits() {
    let server = Server::start(|_, _| Reply::status(503));
    let events = Events::new();
    let long = Duration::from_secs(3000);
    let options =
        options().retry_interval(long).max_retry_delay(long).max_retry_time(NEVER).batch_size(1);
    let options = events.record(options);
    let panicked = thread::scope(|scope| {
        let server = &server;
        let writer = scope.spawn(move || {
            let client = client(server, options);
            client.write(points(0..3)).send().unwrap();
            server.wait_for(1);
            panic!("the program has a bug");
        });
        writer.join().unwrap_err()
    });
    assert_eq!(panicked.downcast_ref::<&str>(), Some(&"the program has a bug"));
    assert_eq!(events.numbers("error"), [0, 1, 2], "all are told to be lost");
    // The first one may have been waiting for its retry already.
    let mut tried = stored(&server);
    tried.dedup();
    assert_eq!(tried, [0, 1, 2]);
    assert!(server.requests().len() <= 4);
}

#[test]
fn a_client_in_a_thread_local_can_be_dropped_with_its_thread() {
    thread_local! {
        static CLIENT: std::cell::RefCell<Option<Client>> = const { std::cell::RefCell::new(None) };
    }
    let server = Server::start(|n, _| Reply::status(if n == 0 { 400 } else { 204 }));
    let events = Events::new();
    let first = client(&server, events.record(options()));
    thread::spawn(move || {
        first.write(Point::new("m").field("f", 1)).send().unwrap();
        CLIENT.set(Some(first));
    })
    .join()
    .unwrap();
    assert_eq!((server.requests().len(), events.names()), (1, vec!["error"]));
}

#[test]
fn an_error_of_several_failures_is_in_doubt_if_one_of_them_is() {
    let server = Server::start(|n, _| Reply::status(if n == 0 { 401 } else { 500 }));
    let client = client(&server, options().batch_size(1).max_retries(0));
    client.write(points(0..2)).send().unwrap();
    let error = client.flush().unwrap_err();
    assert_eq!((error.kind(), error.unsent().len()), (ErrorKind::Unauthorized, 2));
    assert!(error.in_doubt(), "the second one may be stored");
}

#[test]
fn close_is_in_doubt_about_a_request_under_way_behind_an_older_failure() {
    let server = Server::start(|n, _| if n == 0 { Reply::status(401) } else { Reply::Stall });
    let options = options().batch_size(1).max_close_wait(Duration::from_millis(50));
    let client = client(&server, options);
    client.write(points(0..2)).send().unwrap();
    server.wait_for(2);
    let error = client.close().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.in_doubt(), "the second one may be stored");
    let unsent: Vec<_> = error.unsent().iter().flat_map(|b| numbers(b.line_protocol())).collect();
    assert_eq!(unsent, [0, 1]);
}

#[test]
fn close_tells_of_refused_lines_though_a_callback_takes_its_time() {
    const PARTIAL: &str = r#"{"error":"partial write of line protocol occurred","data":[
        {"error_message":"bad field","line_number":2,"original_line":"m f=1i"}]}"#;
    let server = Server::start(|_, _| Reply::text(400, PARTIAL));
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let (events, receiver) = (Events::new(), Mutex::new(receiver));
    let options = options().max_close_wait(Duration::from_millis(50)).success_callback({
        let events = events.clone();
        move |batch| {
            events.push("success", batch, None);
            let _ = receiver.lock().unwrap().recv();
        }
    });
    let client = client(&server, options);
    client.write(points(0..3)).use_v2_api(false).send().unwrap();
    thread::scope(|scope| {
        let flush = scope.spawn(|| client.flush());
        events.wait_for("success", 1);
        // The flush has them, as it waits for them already.
        client.close().ok();
        drop(sender);
        let error = flush.join().unwrap().unwrap_err();
        assert_eq!(error.line_errors()[0].line(), Some("m f=1i 1"));
    });

    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let (events, receiver) = (Events::new(), Mutex::new(receiver));
    let options = crate::support::batching::options()
        .batch_size(3)
        .max_close_wait(Duration::from_millis(50))
        .success_callback({
            let events = events.clone();
            move |batch| {
                events.push("success", batch, None);
                let _ = receiver.lock().unwrap().recv();
            }
        });
    let client = crate::support::batching::client(&server, options);
    client.write(points(0..3)).use_v2_api(false).send().unwrap();
    events.wait_for("success", 1);
    let error = client.close().unwrap_err();
    assert_eq!(error.line_errors()[0].line(), Some("m f=1i 1"));
    assert_eq!(client.write_stats().rejected.lines, 1);
    drop(sender);
}

#[test]
fn a_flush_that_waits_is_told_what_failed_and_no_other_call_is() {
    let gate = Gate::default();
    let server = Server::start({
        let gate = gate.clone();
        move |n, _| match n {
            0 => Reply::After(gate.clone(), Box::new(Reply::status(401))),
            _ => Reply::status(204),
        }
    });
    let client = client(&server, options());
    client.write(points(0..3)).send().unwrap();
    thread::scope(|scope| {
        let flush = scope.spawn(|| client.flush());
        server.wait_for(1);
        gate.open();
        let mut next = 3..;
        while !flush.is_finished() {
            client.write(point(next.next().unwrap())).send().unwrap();
        }
        let error = flush.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert_eq!(numbers(error.unsent()[0].line_protocol()), [0, 1, 2]);
    });
    client.close().unwrap();
}

#[test]
fn close_hands_back_the_halves_of_a_batch_in_their_order() {
    let server = Server::start(|n, _| if n == 0 { Reply::status(413) } else { Reply::Stall });
    let client = client(&server, options().batch_size(4).max_close_wait(Duration::from_millis(50)));
    client.write(points(0..4)).send().unwrap();
    server.wait_for(2);
    let error = client.close().unwrap_err();
    let unsent: Vec<_> = error.unsent().iter().flat_map(|b| numbers(b.line_protocol())).collect();
    assert_eq!(unsent, [0, 1, 2, 3]);
}
