//! Batching: what is tried again, how often, in which order, and what is not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::batching::{
    Events, assert_adds_up, client, client_at, numbers, options, point, points,
};
use crate::support::http::{Gate, Reply, Request, Server, unused_port};
use influxdb3_blocking::{ErrorKind, ThreadPoolScheduler};

fn sent(server: &Server) -> Vec<Vec<i64>> {
    server.requests().iter().map(|request| numbers(&request.body)).collect()
}

/// Answers 503 to the first `failures` requests.
fn failing(failures: usize) -> Server {
    Server::start(move |n, _| Reply::status(if n < failures { 503 } else { 204 }))
}

const PARTIAL: &str = r#"{"error":"partial write of line protocol occurred","data":[
    {"error_message":"bad field","line_number":2,"original_line":"m f=2i"},
    {"error_message":"worse","line_number":4,"original_line":"m f=4i"}]}"#;

const HIDDEN: &str =
    r#"{"code":"invalid","message":"write buffer error: parsing for line protocol failed"}"#;

/// As `/api/v2/write` of Core: all or nothing, and no word about which line.
fn refusing(bad: &'static [i64]) -> Server {
    Server::start(move |_, request| {
        let is_bad = numbers(&request.body).iter().any(|number| bad.contains(number));
        if is_bad { Reply::text(400, HIDDEN) } else { Reply::status(204) }
    })
}

#[test]
fn two_retries_then_success_in_callback_order() {
    let server = failing(2);
    let events = Events::new();
    let client = client(&server, events.record(options()));
    client.write(points(0..3)).send().unwrap();
    client.flush().unwrap();
    assert_eq!(events.names(), ["retry", "retry", "success"]);
    assert_eq!(sent(&server), vec![vec![0, 1, 2]; 3]);
    let attempts: Vec<_> = events.all().iter().map(|event| event.batch.attempts()).collect();
    assert_eq!(attempts, [1, 2, 3]);
    assert_eq!(events.all()[0].kind, Some(ErrorKind::Server));
    let stats = client.write_stats();
    assert_eq!((stats.written.lines, stats.retries, stats.batches), (3, 2, 1));
    assert_adds_up(&client);
}

#[test]
fn two_retries_then_failure_in_callback_order() {
    let server = failing(usize::MAX);
    let events = Events::new();
    let client = client(&server, events.record(options().max_retries(2)));
    client.write(points(0..3)).send().unwrap();
    client.flush().unwrap();
    assert_eq!(events.names(), ["retry", "retry", "error"]);
    let last = &events.all()[2];
    assert_eq!((last.batch.database(), last.batch.lines(), last.batch.attempts()), ("db", 3, 3));
    assert_eq!(last.kind, Some(ErrorKind::Server));
    assert_eq!(client.write_stats().failed.lines, 3);
    client.write(points(3..4)).send().unwrap();
    assert_adds_up(&client);
}

#[test]
fn without_retries_the_first_failure_is_final() {
    for options in [options().max_retries(0), options().max_retry_time(Duration::ZERO)] {
        let server = failing(1);
        let client = client(&server, options);
        client.write(point(1)).send().unwrap();
        assert_eq!(client.flush().unwrap_err().kind(), ErrorKind::Server);
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn what_may_pass_is_tried_again_and_nothing_else() {
    for status in [408, 429, 500, 502, 503, 504] {
        let server = Server::start(move |n, _| Reply::status(if n == 0 { status } else { 204 }));
        let client = client(&server, options());
        client.write(point(1)).send().unwrap();
        client.flush().unwrap();
        assert_eq!(server.requests().len(), 2, "{status}");
    }
    for status in [301, 400, 401, 403, 404, 405, 409, 415, 422, 501] {
        let server = Server::start(move |n, _| Reply::status(if n == 0 { status } else { 204 }));
        let client = client(&server, options());
        client.write(point(1)).send().unwrap();
        assert_eq!(client.flush().unwrap_err().status(), Some(status));
        assert_eq!(server.requests().len(), 1, "{status}");
    }
    let final_500 = Server::start(|_, _| {
        Reply::text(500, "stream did not contain valid UTF-8: not valid utf8")
    });
    let client = client(&final_500, options());
    client.write(point(1)).send().unwrap();
    assert_eq!(client.flush().unwrap_err().kind(), ErrorKind::Rejected);
    assert_eq!(final_500.requests().len(), 1);
}

#[test]
fn a_server_that_is_not_there_is_tried_again() {
    let port = unused_port();
    let events = Events::new();
    let client =
        client_at(&format!("http://127.0.0.1:{port}"), events.record(options().max_retries(3)));
    client.write(point(1)).send().unwrap();
    client.flush().unwrap();
    assert_eq!(events.names(), ["retry", "retry", "retry", "error"]);
    assert_eq!(events.all()[3].kind, Some(ErrorKind::Connect));
}

#[test]
fn a_timeout_is_tried_again() {
    let server = Server::start(|n, _| if n == 0 { Reply::Stall } else { Reply::status(204) });
    let client = client(&server, options());
    client.write(point(1)).timeout(Duration::from_millis(50)).send().unwrap();
    client.flush().unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn what_the_server_asks_for_takes_the_place_of_the_wait() {
    let asking = |value: &'static str| {
        Server::start(move |n, _| match n {
            0 => Reply::Answer(503, vec![("retry-after", value.into())], vec![]),
            _ => Reply::status(204),
        })
    };
    let long =
        options().retry_interval(Duration::from_secs(90)).max_retry_delay(Duration::from_secs(90));
    for now in ["0", "Wed, 21 Oct 2015 07:28:00 GMT"] {
        let server = asking(now);
        let client = client(&server, long.clone());
        client.write(point(1)).send().unwrap();
        client.flush().unwrap();
        assert_eq!(server.requests().len(), 2);
    }
    for late in ["3600", "Fri, 31 Dec 2100 23:59:59 GMT"] {
        let server = asking(late);
        let client = client(&server, options());
        client.write(point(1)).send().unwrap();
        let error = client.flush().unwrap_err();
        assert!(error.retry_after() > Some(Duration::from_secs(180)), "{error}");
        assert_eq!(error.unsent().len(), 1, "it is beyond the budget, so it has failed now");
    }
}

#[test]
fn a_batch_that_is_too_large_is_halved_in_order() {
    let server = Server::start(|_, request| {
        let fits = numbers(&request.body).len() <= 3;
        Reply::status(if fits { 204 } else { 413 })
    });
    let events = Events::new();
    let client = client(&server, events.record(options()));
    client.write(points(0..10)).send().unwrap();
    client.flush().unwrap();
    let good = server
        .requests()
        .iter()
        .map(|r| numbers(&r.body))
        .filter(|n| n.len() <= 3)
        .flatten()
        .collect::<Vec<_>>();
    assert_eq!(good, (0..10).collect::<Vec<_>>());
    assert_eq!(events.numbers("success"), (0..10).collect::<Vec<_>>());
    assert_eq!((events.count("error"), events.count("retry")), (0, 0));
    assert_adds_up(&client);
}

#[test]
fn a_single_line_that_is_too_large_fails_alone() {
    let server = Server::start(|_, request| {
        Reply::status(if numbers(&request.body).contains(&3) { 413 } else { 204 })
    });
    let events = Events::new();
    let client = client(&server, events.record(options()));
    client.write(points(0..8)).send().unwrap();
    client.flush().unwrap();
    assert_eq!(events.numbers("error"), [3]);
    assert_eq!(events.numbers("success"), [0, 1, 2, 4, 5, 6, 7]);
    let stats = client.write_stats();
    assert_eq!((stats.failed.lines, stats.written.lines), (1, 7));
    assert_adds_up(&client);
}

#[test]
fn a_partial_write_is_not_retried_and_names_its_bad_lines() {
    let server = Server::start(|_, _| Reply::text(400, PARTIAL));
    let events = Events::new();
    let client = client(&server, events.record(options()));
    client.write(points(1..6)).use_v2_api(false).send().unwrap();
    client.flush().unwrap();
    assert_eq!(server.requests().len(), 1);
    assert_eq!(events.names(), ["success", "error"]);
    assert_eq!(events.numbers("success"), [1, 3, 5]);
    assert_eq!(events.numbers("error"), [2, 4]);
    let text = &events.all()[1].text;
    assert!(text.contains("bad field (m f=2i 2)") && text.contains("worse (m f=4i 4)"), "{text}");
    let stats = client.write_stats();
    assert_eq!((stats.written.lines, stats.rejected.lines), (3, 2));
    assert_adds_up(&client);
}

#[test]
fn a_partial_write_comes_back_from_the_next_call_if_there_is_no_callback() {
    let server =
        Server::start(|n, _| if n == 0 { Reply::text(422, PARTIAL) } else { Reply::status(204) });
    let client = client(&server, options());
    client.write(points(1..6)).use_v2_api(false).send().unwrap();
    let error = client.flush().unwrap_err();
    assert_eq!((error.kind(), error.lines_written()), (ErrorKind::PartialWrite, 3));
    let lines: Vec<_> = error.line_errors().iter().map(|line| line.line().unwrap()).collect();
    assert_eq!(lines, ["m f=2i 2", "m f=4i 4"]);
    assert!(error.unsent().is_empty(), "what is refused once is refused again");
    client.flush().unwrap();
    client.close().unwrap();
}

#[test]
fn a_partial_write_that_hides_its_lines_is_halved() {
    let server = Server::start(|_, request| {
        let numbers = numbers(&request.body);
        match numbers.contains(&3) {
            // A number beyond the lines, as if newlines were counted differently.
            true if numbers.len() > 1 => Reply::text(
                400,
                r#"{"error":"e","data":[{"error_message":"bad","line_number":99}]}"#,
            ),
            true => Reply::text(
                400,
                r#"{"error":"e","data":[{"error_message":"bad","line_number":1}]}"#,
            ),
            false => Reply::status(204),
        }
    });
    let events = Events::new();
    let client = client(&server, events.record(options()));
    client.write(points(0..5)).use_v2_api(false).send().unwrap();
    client.flush().unwrap();
    assert_eq!(events.numbers("error"), [3]);
    assert_eq!(events.numbers("success"), [0, 1, 2, 4]);
    assert_adds_up(&client);
}

#[test]
fn where_bad_lines_are_not_named_they_are_searched_for_and_cost_no_other() {
    let server = refusing(&[2, 3, 9]);
    let events = Events::new();
    let client = client(&server, events.record(options()));
    client.write(points(0..12)).send().unwrap();
    client.flush().unwrap();
    assert_eq!(events.numbers("error"), [2, 3, 9]);
    assert_eq!(events.numbers("success"), [0, 1, 4, 5, 6, 7, 8, 10, 11]);
    assert_eq!(events.count("retry"), 0);
    assert!(
        events.all().iter().filter(|event| event.name == "error").all(|event| {
            event.kind == Some(ErrorKind::Rejected) && event.text.contains("(m f=")
        })
    );
    let stats = client.write_stats();
    assert_eq!((stats.written.lines, stats.rejected.lines), (9, 3));
    assert_adds_up(&client);
}

#[test]
fn without_a_callback_all_bad_lines_come_back_in_one_error() {
    let server = refusing(&[2, 3]);
    let client = client(&server, options());
    client.write(points(0..8)).send().unwrap();
    let error = client.flush().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    let lines: Vec<_> = error.line_errors().iter().filter_map(|line| line.line()).collect();
    assert_eq!(lines, ["m f=2i 2", "m f=3i 3"]);
    client.flush().unwrap();
    assert_adds_up(&client);
}

#[test]
fn without_partial_writes_a_batch_is_refused_as_a_whole() {
    const REFUSED: &str = r#"{"error":"parsing failed for write_lp endpoint","data":{"error_message":"bad","line_number":2}}"#;
    let server = Server::start(|_, _| Reply::text(400, REFUSED));
    let client = client(&server, options());
    client.write(points(0..4)).use_v2_api(false).accept_partial(false).send().unwrap();
    let error = client.flush().unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Rejected, 1));
    assert_eq!(numbers(error.unsent()[0].line_protocol()), [0, 1, 2, 3]);
    assert_eq!(client.write_stats().failed.lines, 4);
}

#[test]
fn a_line_that_breaks_the_server_is_isolated() {
    let server = Server::start(|_, request| {
        if numbers(&request.body).contains(&5) { Reply::Close } else { Reply::status(204) }
    });
    let events = Events::new();
    let client = client(&server, events.record(options()));
    client.write(points(0..8)).send().unwrap();
    client.flush().unwrap();
    assert_eq!(events.numbers("error"), [5]);
    assert_eq!(events.numbers("success"), [0, 1, 2, 3, 4, 6, 7]);
    assert_eq!(client.write_stats().failed.lines, 1);
    assert_adds_up(&client);
}

#[test]
fn connections_that_are_cut_now_and_then_lose_nothing() {
    let server = Server::start(|n, _| if n % 3 == 2 { Reply::status(204) } else { Reply::Close });
    let client = client(&server, options().batch_size(5));
    client.write(points(0..50)).send().unwrap();
    client.close().unwrap();
    assert_eq!(client.write_stats().written.lines, 50);
}

#[test]
fn one_worker_keeps_the_order_across_retries() {
    // Every other request fails.
    let server = Server::start(|n, _| Reply::status(if n % 2 == 0 { 503 } else { 204 }));
    let client = client(&server, options().batch_size(2));
    client.write(points(0..20)).send().unwrap();
    client.flush().unwrap();
    let stored: Vec<_> = sent(&server).into_iter().skip(1).step_by(2).flatten().collect();
    assert_eq!(stored, (0..20).collect::<Vec<_>>());
}

#[test]
fn with_more_workers_so_many_requests_are_on_the_way() {
    let gate = Gate::default();
    let server = Server::start({
        let gate = gate.clone();
        move |_, _| Reply::After(gate.clone(), Box::new(Reply::status(204)))
    });
    let options = options().batch_size(1).write_scheduler(ThreadPoolScheduler::new(4));
    let client = client(&server, options);
    client.write(points(0..9)).send().unwrap();
    server.wait_for(4);
    gate.open();
    client.flush().unwrap();
    let mut all: Vec<_> = sent(&server).concat();
    all.sort_unstable();
    assert_eq!(all, (0..9).collect::<Vec<_>>());
    let connections = server.requests().iter().map(|request| request.connection).max();
    assert_eq!(connections, Some(3), "four connections, kept and used again");
}

#[test]
fn with_more_workers_a_batch_that_waits_holds_up_no_other() {
    // Number 0 is refused until all others are there.
    let others = AtomicUsize::new(0);
    let server = Server::start(move |_, request: &Request| {
        if numbers(&request.body) != [0] {
            others.fetch_add(1, Ordering::SeqCst);
            return Reply::status(204);
        }
        Reply::status(if others.load(Ordering::SeqCst) == 9 { 204 } else { 503 })
    });
    let options =
        options().batch_size(1).max_retries(u32::MAX).write_scheduler(ThreadPoolScheduler::new(2));
    let client = client(&server, options);
    client.write(points(0..10)).send().unwrap();
    client.flush().unwrap();
    assert_eq!(client.write_stats().written.lines, 10);
}

#[test]
fn a_client_that_waits_does_not_hold_up_others_of_its_scheduler() {
    let (good, bad) = (Server::accepting(), failing(usize::MAX));
    let scheduler = ThreadPoolScheduler::new(1);
    let long = Duration::from_secs(90);
    let waiting =
        options().retry_interval(long).max_retry_delay(long).max_close_wait(Duration::ZERO);
    let waiting = client(&bad, waiting.write_scheduler(scheduler.clone()));
    let other = client(&good, options().write_scheduler(scheduler));
    waiting.write(point(1)).send().unwrap();
    waiting.write(point(2)).database("other").send().unwrap();
    // A flush waits for the retries, so have it begin only.
    std::thread::scope(|scope| {
        let flushing = scope.spawn(|| waiting.flush());
        bad.wait_for(1);
        for n in 0..5 {
            other.write(point(n)).send().unwrap();
            other.flush().unwrap();
        }
        let error = waiting.close().unwrap_err();
        assert_eq!(error.unsent().len(), 2);
        assert_eq!(flushing.join().unwrap().unwrap_err().kind(), ErrorKind::Closed);
    });
    assert_eq!(other.write_stats().written.lines, 5);
    assert_eq!(bad.requests().len(), 1, "the second batch kept its place behind the first");
}

#[test]
fn after_a_failure_the_rest_goes_on() {
    let server = Server::start(|_, request| {
        Reply::status(if numbers(&request.body)[0] == 2 { 401 } else { 204 })
    });
    let client = client(&server, options().batch_size(2));
    client.write(points(0..6)).send().unwrap();
    let error = client.flush().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(error.unsent().len(), 1);
    assert_eq!(numbers(error.unsent()[0].line_protocol()), [2, 3]);
    assert_eq!(client.write_stats().written.lines, 4);
}

#[test]
fn doubt_stays_whatever_the_later_tries_say() {
    // The first try may be stored, the second is not.
    let server = Server::start(|n, _| if n == 0 { Reply::Stall } else { Reply::status(503) });
    let client = client(&server, options().max_retries(1));
    client.write(point(1)).timeout(Duration::from_millis(50)).send().unwrap();
    let error = client.flush().unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert!(error.in_doubt());

    // So it does for the halves of what was in doubt.
    let server = Server::start(|n, _| Reply::status(if n == 0 { 500 } else { 413 }));
    let client = crate::support::batching::client(&server, options());
    client.write(points(0..2)).send().unwrap();
    let error = client.flush().unwrap_err();
    assert!(error.kind() == ErrorKind::TooLarge && error.in_doubt(), "{error:?}");
}

#[test]
fn a_batch_full_of_bad_lines_is_not_searched_to_the_end() {
    let server = refusing_if(|_| true);
    let events = Events::new();
    let client = client(&server, events.record(options()));
    client.write(points(0..1000)).send().unwrap();
    client.flush().unwrap();
    let requests = server.requests().len();
    assert!(requests < 250, "{requests} requests");
    let told = events.all();
    let given_up = told.iter().filter(|event| event.text.contains("too many to search"));
    let given_up: Vec<_> =
        given_up.flat_map(|event| numbers(event.batch.line_protocol())).collect();
    let stats = client.write_stats();
    assert_eq!(
        (stats.failed.lines, stats.rejected.lines),
        (given_up.len() as u64, 1000 - given_up.len() as u64)
    );
    assert!(stats.rejected.lines > 10 && given_up.len() > 500, "{stats:?}");
    let mut all = events.numbers("error");
    all.sort_unstable();
    assert_eq!(all, (0..1000).collect::<Vec<_>>(), "each line is told once");
    assert_adds_up(&client);

    // The next batch is searched as ever.
    let server = refusing_if(|n| n == 3);
    let client = crate::support::batching::client(&server, options());
    client.write(points(0..1000)).send().unwrap();
    assert_eq!(client.flush().unwrap_err().line_errors().len(), 1);
    assert_eq!(client.write_stats().written.lines, 999);
}

/// As `/api/v2/write` of Core: all or nothing, and no word about which line.
fn refusing_if(is_bad: fn(i64) -> bool) -> Server {
    Server::start(move |_, request| {
        let has_bad = numbers(&request.body).into_iter().any(is_bad);
        if has_bad { Reply::text(400, HIDDEN) } else { Reply::status(204) }
    })
}

#[test]
fn a_token_that_was_good_gets_one_more_try_after_a_403() {
    // Before 3.10, that is what the server says as well when it cannot ask whether the token is good.
    let server = Server::start(|n, _| Reply::status(if n == 1 { 403 } else { 204 }));
    let client = client(&server, options().batch_size(1));
    client.write(points(0..2)).send().unwrap();
    client.flush().unwrap();
    assert_eq!((server.requests().len(), client.write_stats().written.lines), (3, 2));

    let server = Server::start(|n, _| Reply::status(if n == 0 { 204 } else { 403 }));
    let client = crate::support::batching::client(&server, options().batch_size(1));
    client.write(points(0..2)).send().unwrap();
    assert_eq!(client.flush().unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(server.requests().len(), 3, "one more try, and no more");
}
