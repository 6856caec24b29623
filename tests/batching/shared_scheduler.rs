//! Batching: several clients at one scheduler, none of which holds up the others.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use crate::support::batching::{Events, NEVER, assert_adds_up, numbers, options, point, points};
use crate::support::http::{Gate, HANGS, Reply, Request, Server};
use influxdb3_blocking::{Client, ThreadPoolScheduler, WriteOptions};

/// Writes to the database `slow` are answered when the gate opens, all others at once.
fn stalling() -> (Server, Gate) {
    let gate = Gate::default();
    let server = Server::start({
        let gate = gate.clone();
        move |_, request| match database(request) {
            "slow" => Reply::After(gate.clone(), Box::new(Reply::status(204))),
            _ => Reply::status(204),
        }
    });
    (server, gate)
}

fn database(request: &Request) -> &str {
    request.path.split(['=', '&']).nth(1).unwrap()
}

/// The numbers that came for a database, in the order in which they came.
fn sent(server: &Server, name: &str) -> Vec<i64> {
    let requests = server.requests();
    let own = requests.iter().filter(|request| database(request) == name);
    own.flat_map(|request| numbers(&request.body)).collect()
}

fn client(server: &Server, database: &str, options: WriteOptions) -> Client {
    let builder = Client::builder().host(server.url()).database(database);
    builder.write_timeout(NEVER).write_options(options).build().unwrap()
}

/// Whether nothing of it was written so far.
fn is_stalled(client: &Client) -> bool {
    client.write_stats().written.lines == 0
}

fn all(numbers: std::ops::Range<i64>) -> Vec<i64> {
    numbers.collect()
}

#[test]
fn a_request_that_stalls_does_not_hold_up_the_other_clients() {
    for workers in [1, 3] {
        let (server, gate) = stalling();
        let scheduler = ThreadPoolScheduler::new(workers);
        let options = || options().batch_size(1).write_scheduler(scheduler.clone());
        let slow = client(&server, "slow", options());
        let fast = client(&server, "fast", options());
        slow.write(points(0..10)).send().unwrap();
        server.wait_for(workers);

        // The gate is closed until everything else is done.
        for n in 0..20 {
            fast.write(point(n)).send().unwrap();
            fast.flush().unwrap();
        }
        assert_eq!(sent(&server, "fast"), all(0..20));
        assert_eq!(sent(&server, "slow").len(), workers, "as many at once as there are workers");
        assert!(is_stalled(&slow));
        fast.close().unwrap();

        gate.open();
        slow.close().unwrap();
        let mut stored = sent(&server, "slow");
        if workers > 1 {
            stored.sort_unstable();
        }
        assert_eq!(stored, all(0..10), "in order, if there is one worker");
        assert_adds_up(&slow);
        assert_adds_up(&fast);
    }
}

#[test]
fn however_many_clients_stall_there_is_a_worker_for_the_others() {
    let (server, gate) = stalling();
    let scheduler = ThreadPoolScheduler::new(1);
    let options = || options().batch_size(1).write_scheduler(scheduler.clone());
    let slow: Vec<_> = (0..5).map(|_| client(&server, "slow", options())).collect();
    for (n, client) in (0..).zip(&slow) {
        client.write(point(n)).send().unwrap();
    }
    server.wait_for(slow.len());
    let fast = client(&server, "fast", options());
    fast.write(points(0..3)).send().unwrap();
    fast.flush().unwrap();
    assert_eq!(sent(&server, "fast"), [0, 1, 2]);
    assert!(slow.iter().all(is_stalled));
    gate.open();
    for client in &slow {
        client.close().unwrap();
    }
    assert_eq!(sent(&server, "slow").len(), 5);
}

#[test]
fn a_callback_that_takes_its_time_does_not_hold_up_the_other_clients() {
    let server = Server::accepting();
    let scheduler = ThreadPoolScheduler::new(1);
    let (sender, receiver) = mpsc::channel::<()>();
    let (receiver, events) = (Mutex::new(receiver), Events::new());
    let slow = options().batch_size(1).write_scheduler(scheduler.clone()).success_callback({
        let events = events.clone();
        move |batch| {
            events.push("success", batch, None);
            let _ = receiver.lock().unwrap().recv_timeout(HANGS);
        }
    });
    let slow = client(&server, "slow", slow);
    let fast = client(&server, "fast", options().write_scheduler(scheduler));
    slow.write(points(0..2)).send().unwrap();
    events.wait_for("success", 1);
    fast.write(points(0..3)).send().unwrap();
    fast.flush().unwrap();
    assert_eq!(sent(&server, "fast"), [0, 1, 2]);
    assert_eq!(sent(&server, "slow"), [0], "its own next batch waits for the callback");
    sender.send(()).unwrap();
    sender.send(()).unwrap();
    slow.close().unwrap();
    assert_eq!(events.numbers("success"), [0, 1]);
}

#[test]
fn a_client_that_stalls_does_not_keep_others_from_sending_a_batch_at_its_age() {
    let (server, gate) = stalling();
    let scheduler = ThreadPoolScheduler::new(1);
    let slow = client(&server, "slow", options().batch_size(1).write_scheduler(scheduler.clone()));
    let fast = options().flush_interval(Duration::from_millis(1)).write_scheduler(scheduler);
    let fast = client(&server, "fast", fast);
    slow.write(point(0)).send().unwrap();
    server.wait_for(1);
    fast.write(point(1)).send().unwrap();
    // Nobody flushes.
    server.wait_for(2);
    assert_eq!(sent(&server, "fast"), [1]);
    assert!(is_stalled(&slow));
    gate.open();
    fast.close().unwrap();
    slow.close().unwrap();
}

#[test]
fn a_client_that_stalls_does_not_keep_others_from_trying_again() {
    let gate = Gate::default();
    let server = Server::start({
        let (gate, mut failures) = (gate.clone(), 3);
        move |_, request| match database(request) {
            "slow" => Reply::After(gate.clone(), Box::new(Reply::status(204))),
            _ if failures == 0 => Reply::status(204),
            _ => {
                failures -= 1;
                Reply::status(503)
            }
        }
    });
    let scheduler = ThreadPoolScheduler::new(1);
    let slow = client(&server, "slow", options().batch_size(1).write_scheduler(scheduler.clone()));
    let fast = client(&server, "fast", options().write_scheduler(scheduler));
    slow.write(point(0)).send().unwrap();
    server.wait_for(1);
    fast.write(point(1)).send().unwrap();
    fast.flush().unwrap();
    assert_eq!(fast.write_stats().retries, 3);
    assert!(is_stalled(&slow));
    gate.open();
    fast.close().unwrap();
    slow.close().unwrap();
}

#[test]
fn a_client_whose_worker_stalls_can_be_dropped_and_the_others_go_on() {
    let (server, gate) = stalling();
    let scheduler = ThreadPoolScheduler::new(1);
    let slow = options()
        .batch_size(1)
        .max_close_wait(Duration::ZERO)
        .error_callback(|_, _| {})
        .write_scheduler(scheduler.clone());
    // It shares its connections with another client, so nobody ends the request that is on the way.
    let sibling = client(&server, "slow", WriteOptions::synchronous());
    let slow = sibling.with_write_options(slow).unwrap();
    let fast = client(&server, "fast", options().write_scheduler(scheduler));
    slow.write(points(0..2)).send().unwrap();
    server.wait_for(1);
    drop(slow);
    fast.write(points(0..3)).send().unwrap();
    fast.close().unwrap();
    assert_eq!(sent(&server, "fast"), [0, 1, 2]);
    assert_eq!(sent(&server, "slow"), [0]);
    gate.open();
}

#[test]
fn thirty_clients_of_one_worker_have_thirty_requests_on_the_way() {
    let (server, gate) = stalling();
    let scheduler = ThreadPoolScheduler::new(1);
    let clients: Vec<_> = (0..30)
        .map(|_| {
            client(&server, "slow", options().batch_size(1).write_scheduler(scheduler.clone()))
        })
        .collect();
    for (n, client) in (0..).zip(&clients) {
        client.write(points(2 * n..2 * n + 2)).send().unwrap();
    }
    // None of them is answered before all are there.
    server.wait_for(30);
    assert!(clients.iter().all(is_stalled));
    gate.open();
    for client in &clients {
        client.close().unwrap();
        assert_eq!(client.write_stats().written.lines, 2);
    }
    let firsts: Vec<_> = sent(&server, "slow")[..30].iter().map(|n| n % 2).collect();
    assert_eq!(firsts, [0; 30], "each client has one request on the way, and keeps its order");
}
