//! Batching over several hosts: nothing is lost, order is kept, and nothing is stored twice where that can be known.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::batching::{Events, assert_adds_up, numbers, options, point, points};
use crate::support::http::{Gate, Reply, Server, unused_port};
use influxdb3_blocking::{Client, ErrorKind, ThreadPoolScheduler, WriteOptions};
use influxdb3_dev_server::{DevServer, Fault};

/// How long a host is left alone that failed once.
const BACK_OFF: Duration = Duration::from_secs(1);

fn client<S: AsRef<str>>(hosts: impl IntoIterator<Item = S>, options: WriteOptions) -> Client {
    Client::builder().hosts(hosts).database("db").write_options(options).build().unwrap()
}

fn servers() -> [DevServer; 3] {
    [(); 3].map(|()| DevServer::builder().record_requests(true).start().unwrap())
}

/// The numbers of the points that came to a server, in order.
fn received(server: &DevServer) -> Vec<i64> {
    server.requests().iter().flat_map(|request| numbers(&request.body)).collect()
}

fn patient() -> WriteOptions {
    options()
        .batch_size(10)
        .retry_interval(Duration::from_millis(2))
        .max_retry_delay(Duration::from_millis(20))
        .max_retries(u32::MAX)
        .max_retry_time(Duration::from_secs(3600))
}

#[test]
fn the_same_batch_goes_to_the_next_host_at_once_and_in_order() {
    let servers = servers();
    let events = Events::new();
    let client =
        client(servers.iter().map(DevServer::url), events.record(options().batch_size(10)));
    client.write(points(0..100)).send().unwrap();
    client.flush().unwrap();
    servers[0].stop();
    client.write(points(100..200)).send().unwrap();
    client.flush().unwrap();
    servers[1].set_fault(Fault::Stopping);
    client.write(points(200..300)).send().unwrap();
    client.close().unwrap();
    assert_eq!(received(&servers[0]), (0..100).collect::<Vec<_>>());
    assert_eq!(servers[0].rows("db", "m"), 100);
    // The batch that it answers that it is stopping.
    assert_eq!(received(&servers[1])[..110], (100..210).collect::<Vec<_>>());
    assert_eq!(servers[1].rows("db", "m"), 100);
    assert_eq!(received(&servers[2]), (200..300).collect::<Vec<_>>());
    assert_eq!(events.numbers("success"), (0..300).collect::<Vec<_>>());
    assert_eq!(client.write_stats().retries, 0, "another host is no retry");
    assert_adds_up(&client);
}

#[test]
fn hosts_that_die_and_come_back_in_turn_lose_nothing_and_keep_the_order_of_one_worker() {
    let servers = servers();
    let events = Events::new();
    let client = client(servers.iter().map(DevServer::url), events.record(patient()));
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..3000 {
                client.write(point(n)).send().unwrap();
            }
        });
        for round in 0..12 {
            events.wait_for("success", 20 * (round + 1));
            // One dies, comes back as the next one dies, and at last all of them do.
            servers[round % 3].stop();
            if round % 4 == 3 {
                servers.iter().for_each(DevServer::stop);
                thread::yield_now();
            }
            servers[(round + 1) % 3].resume().unwrap();
        }
        servers.iter().for_each(|server| server.resume().unwrap());
    });
    client.close().unwrap();
    assert_eq!(events.numbers("success"), (0..3000).collect::<Vec<_>>(), "in order, each once");
    let stored: usize = servers.iter().map(|server| server.rows("db", "m")).sum();
    // Killed between storing and answering, a server has a batch that the next one gets as well: these are equal points.
    let all: BTreeSet<_> = servers.iter().flat_map(received).collect();
    assert_eq!(all, (0..3000).collect::<BTreeSet<_>>());
    assert!(stored >= 3000);
    assert_eq!(client.write_stats().written.lines, 3000);
    assert_adds_up(&client);
}

#[test]
fn four_workers_over_three_hosts_lose_nothing() {
    let servers = servers();
    let events = Events::new();
    let options = patient().write_scheduler(ThreadPoolScheduler::new(4));
    let client = client(servers.iter().map(DevServer::url), events.record(options));
    thread::scope(|scope| {
        for shard in 0..4 {
            let client = &client;
            scope.spawn(move || {
                for n in 0..500 {
                    client.write(point(4 * n + shard)).send().unwrap();
                }
            });
        }
        for round in 0..6 {
            events.wait_for("success", 20 * (round + 1));
            servers[round % 3].restart().unwrap();
        }
    });
    client.close().unwrap();
    let mut told = events.numbers("success");
    told.sort_unstable();
    assert_eq!(told, (0..2000).collect::<Vec<_>>());
    let all: BTreeSet<_> = servers.iter().flat_map(received).collect();
    assert_eq!(all, (0..2000).collect::<BTreeSet<_>>());
    assert_adds_up(&client);
}

#[test]
fn a_host_that_is_slow_is_left_for_the_next_one_with_the_retry() {
    let slow = Server::start(|n, _| if n == 0 { Reply::Stall } else { Reply::status(204) });
    let (second, start) = (Server::accepting(), Instant::now());
    let events = Events::new();
    let client = client([slow.url(), second.url()], events.record(options().batch_size(2)));
    client.write(points(0..6)).timeout(Duration::from_millis(50)).send().unwrap();
    client.flush().unwrap();
    assert!(second.requests().len() == 3 || start.elapsed() > BACK_OFF);
    assert_eq!(events.names(), ["retry", "success", "success", "success"]);
    let sent: Vec<_> = second.requests().iter().map(|request| numbers(&request.body)).collect();
    assert_eq!(sent[0], [0, 1], "whole: a timeout cuts no batch");
    assert_eq!(events.numbers("success"), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn one_host_that_refuses_the_token_costs_no_line() {
    let refuses = Server::start(|_, _| Reply::status(401));
    let second = Server::accepting();
    let client = client([refuses.url(), second.url()], options().batch_size(1));
    client.write(points(0..5)).send().unwrap();
    client.close().unwrap();
    assert!(!refuses.requests().is_empty());
    assert_eq!(second.requests().len(), 5);
    // All of them do: it is the token.
    let client = self::client([refuses.url(), refuses.url() + "/x"], options());
    client.write(point(1)).send().unwrap();
    let error = client.flush().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().starts_with("all 2 hosts failed: "), "{error}");
    assert_eq!(client.write_stats().retries, 0);
}

#[test]
fn a_batch_that_breaks_two_hosts_is_not_given_to_the_third_but_cut() {
    let breaking = || {
        Server::start(|_, request| {
            let is_poison = numbers(&request.body).contains(&3);
            if is_poison { Reply::Close } else { Reply::status(204) }
        })
    };
    let hosts = [breaking(), breaking(), breaking()];
    let client = client(hosts.iter().map(Server::url), options().batch_size(8).max_retries(2));
    client.write(points(0..8)).send().unwrap();
    let first = client.flush().unwrap_err();
    assert!(first.in_doubt(), "{first}");
    let unsent: Vec<_> = first.unsent().iter().flat_map(|b| numbers(b.line_protocol())).collect();
    assert_eq!(unsent, [3], "the others are written");
    assert_eq!(client.write_stats().written.lines, 7);
}

#[test]
fn closing_waits_for_the_hosts_no_longer_than_it_may() {
    let gate = Gate::default();
    let held = gate.clone();
    let slow = Server::start(move |_, _| Reply::After(held.clone(), Box::new(Reply::status(503))));
    let gone = format!("http://127.0.0.1:{}", unused_port());
    let options = options().max_close_wait(Duration::from_millis(100));
    let client = client([&gone, &slow.url()], options);
    client.write(points(0..3)).send().unwrap();
    let error = client.close().unwrap_err();
    gate.open();
    let unsent: Vec<_> = error.unsent().iter().flat_map(|b| numbers(b.line_protocol())).collect();
    assert_eq!(unsent, [0, 1, 2]);
    assert_adds_up(&client);
}

#[test]
fn what_a_closing_client_interrupts_at_one_host_does_not_begin_at_another() {
    let slow = Server::start(|_, _| Reply::Stall);
    let second = Server::accepting();
    let client = client(
        [slow.url(), second.url()],
        options().max_close_wait(Duration::from_millis(50)).max_retries(0),
    );
    client.write(points(0..3)).send().unwrap();
    let error = client.close().unwrap_err();
    assert!(error.in_doubt(), "{error}");
    assert_eq!(numbers(error.unsent()[0].line_protocol()), [0, 1, 2]);
    drop(client);
    assert!(second.requests().is_empty(), "it was handed back");
}
