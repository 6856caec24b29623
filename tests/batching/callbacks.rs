//! Batching: what callbacks may do, and what they cannot break.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use crate::support::batching::{Events, assert_adds_up, client, numbers, options, point, points};
use crate::support::http::{Gate, HANGS, Reply, Server};
use influxdb3_blocking::{
    Client, ErrorKind, OnFull, ThreadPoolScheduler, WeakClient, WriteOptions,
};

/// A place for the client that a callback uses.
type Handle = Arc<OnceLock<WeakClient>>;

fn upgrade(handle: &Handle) -> Option<Client> {
    handle.get().and_then(WeakClient::upgrade)
}

/// A client whose callbacks find it in the handle.
fn client_of(server: &Server, handle: &Handle, options: WriteOptions) -> Client {
    let client = client(server, options);
    handle.set(client.downgrade()).unwrap();
    client
}

#[test]
fn callbacks_that_panic_are_contained_and_counted() {
    let server = Server::start(|n, _| Reply::status(if n % 2 == 0 { 503 } else { 204 }));
    let options = options()
        .batch_size(1)
        .success_callback(|_| panic!("success"))
        .retry_callback(|_, _| panic!("retry"));
    let client = client(&server, options);
    client.write(points(0..5)).send().unwrap();
    client.flush().unwrap();
    let stats = client.write_stats();
    assert_eq!((stats.written.lines, stats.callback_panics), (5, 10));
    client.write(points(5..6)).send().unwrap();
    client.close().unwrap();
    assert_eq!(client.write_stats().written.lines, 6);
    assert_adds_up(&client);
}

#[test]
fn a_failure_whose_callback_panics_comes_back_instead() {
    let server = Server::start(|_, _| Reply::status(401));
    let client = client(&server, options().error_callback(|_, _| panic!("no")));
    client.write(points(0..5)).send().unwrap();
    let error = client.flush().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(numbers(error.unsent()[0].line_protocol()), [0, 1, 2, 3, 4]);
    assert_eq!(client.write_stats().callback_panics, 1);
    client.close().unwrap();
}

struct Nasty;

impl Drop for Nasty {
    fn drop(&mut self) {
        panic!("once more");
    }
}

#[test]
fn a_panic_that_carries_another_one_does_not_end_the_worker() {
    let server = Server::accepting();
    let options = options().success_callback(|_| std::panic::panic_any(Nasty));
    let client = client(&server, options);
    for n in 0..3 {
        client.write(point(n)).send().unwrap();
        client.flush().unwrap();
    }
    client.close().unwrap();
    assert_eq!(client.write_stats().callback_panics, 3);
}

#[test]
fn callbacks_may_call_the_client() {
    let server = Server::start(|n, _| Reply::status([503, 401, 204][n.min(2)]));
    let handle = Handle::default();
    let events = Events::new();
    let (retried, failed, written) = (handle.clone(), handle.clone(), handle.clone());
    let options = options()
        .retry_callback(move |_, _| {
            let client = upgrade(&retried).unwrap();
            assert_eq!(client.write_stats().retries, 1);
            client.flush().unwrap();
        })
        .error_callback(move |batch, _| {
            // Once more, to another database.
            upgrade(&failed).unwrap().write(batch).database("second").send().unwrap();
        })
        .success_callback({
            let events = events.clone();
            move |batch| {
                events.push("success", batch, None);
                let client = upgrade(&written).unwrap();
                client.flush().unwrap();
                client.server_version().unwrap_err();
            }
        });
    let client = client_of(&server, &handle, options);
    client.write(points(0..3)).send().unwrap();
    client.flush().unwrap();
    client.flush().unwrap();
    assert_eq!(events.numbers("success"), [0, 1, 2]);
    assert_eq!(events.all()[0].batch.database(), "second");
    assert_eq!(client.write_stats().callback_panics, 0);
    client.close().unwrap();
}

#[test]
fn a_callback_may_close_its_client() {
    let server = Server::accepting();
    let handle = Handle::default();
    let options = options().batch_size(2).success_callback({
        let handle = handle.clone();
        move |_| {
            if let Some(client) = upgrade(&handle) {
                client.close().unwrap();
            }
        }
    });
    let client = client_of(&server, &handle, options);
    client.write(points(0..7)).send().unwrap();
    client.close().unwrap();
    let all: Vec<_> = server.requests().iter().flat_map(|request| numbers(&request.body)).collect();
    assert_eq!(all, (0..7).collect::<Vec<_>>());
    assert_eq!(client.write_stats().callback_panics, 0);
}

#[test]
fn a_close_that_a_callback_began_is_finished_without_help() {
    let server = Server::accepting();
    let (sender, closed) = mpsc::channel();
    let handle = Handle::default();
    let options = options().batch_size(1).success_callback({
        let handle = handle.clone();
        // Told when the callbacks are dropped, which is the end of closing.
        let guard = Mutex::new(Signal(sender));
        move |_| {
            let _guard = guard.lock().unwrap();
            if let Some(client) = upgrade(&handle) {
                client.close().unwrap();
            }
        }
    });
    let client = client_of(&server, &handle, options);
    client.write(points(0..3)).send().unwrap();
    closed.recv_timeout(HANGS).unwrap();
    let stats = client.write_stats();
    assert_eq!((stats.written.lines, stats.pending.lines), (3, 0));
    assert_eq!(client.write(point(3)).send().unwrap_err().kind(), ErrorKind::Closed);
}

struct Signal(mpsc::Sender<()>);

impl Drop for Signal {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[test]
fn the_last_clone_may_be_dropped_in_a_callback() {
    let server = Server::accepting();
    let own: Arc<Mutex<Option<Client>>> = Arc::default();
    let (sender, closed) = mpsc::channel();
    let options = options().batch_size(1).success_callback({
        let own = own.clone();
        let guard = Mutex::new(Signal(sender));
        move |_| {
            let _guard = guard.lock().unwrap();
            drop(own.lock().unwrap().take());
        }
    });
    let client = client(&server, options);
    *own.lock().unwrap() = Some(client.clone());
    client.write(points(0..3)).send().unwrap();
    drop(client);
    closed.recv_timeout(HANGS).unwrap();
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn the_last_clone_may_be_dropped_before_a_retry() {
    let gate = Gate::default();
    let server = Server::start({
        let gate = gate.clone();
        move |n, _| match n {
            0 => Reply::After(gate.clone(), Box::new(Reply::status(503))),
            _ => Reply::status(204),
        }
    });
    let own: Arc<Mutex<Option<Client>>> = Arc::default();
    let events = Events::new();
    let options = options()
        .batch_size(3)
        .retry_callback({
            let own = own.clone();
            move |_, _| drop(own.lock().unwrap().take())
        })
        .success_callback({
            let events = events.clone();
            move |batch| events.push("success", batch, None)
        });
    let client = client(&server, options);
    *own.lock().unwrap() = Some(client.clone());
    client.write(points(0..3)).send().unwrap();
    drop(client);
    // Only the callback has the client now.
    gate.open();
    events.wait_for("success", 1);
    assert_eq!(events.numbers("success"), [0, 1, 2]);
}

#[test]
fn what_a_callback_owns_may_panic_when_it_is_dropped() {
    let server = Server::accepting();
    for is_closed in [true, false] {
        let nasty = Nasty;
        let client = client(
            &server,
            options().success_callback(move |_| {
                let _ = &nasty;
            }),
        );
        client.write(point(1)).send().unwrap();
        // With nothing left to do, it is this thread that drops the callbacks.
        client.flush().unwrap();
        if is_closed {
            client.close().unwrap();
        }
    }
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_callback_may_own_another_client_of_its_scheduler() {
    let server = Server::accepting();
    let scheduler = ThreadPoolScheduler::new(1);
    let owned = client(&server, options().write_scheduler(scheduler.clone()));
    owned.write(point(2)).send().unwrap();
    let handle = Handle::default();
    let options = options().write_scheduler(scheduler).success_callback({
        let handle = handle.clone();
        move |_| {
            assert_eq!(owned.write_stats().accepted.lines, 1);
            // The end of this client is the end of its callbacks, and of the client that they own.
            upgrade(&handle).unwrap().close().unwrap();
        }
    });
    let client = client_of(&server, &handle, options);
    client.write(point(1)).send().unwrap();
    client.flush().unwrap();
    let sent = server.wait_for(2);
    assert_eq!(numbers(&sent[1].body), [2]);
}

#[test]
fn in_a_callback_block_is_an_error_rather_than_a_deadlock() {
    let server = Server::start(|_, _| Reply::status(401));
    let refused = Arc::new(AtomicUsize::new(0));
    for policy in [OnFull::Block, OnFull::BlockFor(Duration::from_secs(3600))] {
        let handle = Handle::default();
        let options = options().buffer_limit(4 << 10).on_full(policy).error_callback({
            let (handle, refused) = (handle.clone(), refused.clone());
            move |_, _| {
                let client = upgrade(&handle).unwrap();
                let long = format!("m f=\"{}\" 1", "x".repeat(2000));
                let errors = (0..3).filter_map(|_| client.write(long.as_str()).send().err());
                let full = errors.filter(|error| error.kind() == ErrorKind::BufferFull).count();
                refused.fetch_add(full, Ordering::SeqCst);
                // Once is enough.
                client.close().unwrap();
            }
        });
        let client = client_of(&server, &handle, options);
        client.write(point(1)).send().unwrap();
        client.flush().ok();
        client.close().ok();
    }
    assert!(refused.load(Ordering::SeqCst) >= 4);
}

#[test]
fn a_callback_that_writes_when_lines_are_dropped_is_not_called_for_its_own_losses() {
    let server = Server::start(|_, _| Reply::Stall);
    let handle = Handle::default();
    let options = options()
        .buffer_limit(4 << 10)
        .on_full(OnFull::DropNewest)
        .max_close_wait(Duration::ZERO)
        .error_callback({
            let handle = handle.clone();
            move |batch, _| {
                if let Some(client) = upgrade(&handle) {
                    client.write(batch).send().ok();
                }
            }
        });
    let client = client_of(&server, &handle, options);
    for n in 0..20 {
        client.write(format!("m f=\"{}\" {n}", "x".repeat(1000))).send().unwrap();
    }
    assert!(client.write_stats().dropped.lines > 20);
    assert_eq!(client.write_stats().callback_panics, 0);
    client.close().unwrap_err();
    assert_adds_up(&client);
}

#[test]
fn callbacks_of_several_workers_run_at_the_same_time() {
    let server = Server::accepting();
    let barrier = Arc::new(std::sync::Barrier::new(3));
    let options = options().batch_size(1).write_scheduler(ThreadPoolScheduler::new(3));
    let client = client(
        &server,
        options.success_callback(move |_| {
            barrier.wait();
        }),
    );
    client.write(points(0..6)).send().unwrap();
    client.flush().unwrap();
    client.close().unwrap();
    assert_eq!(client.write_stats().written.lines, 6);
}

#[test]
fn a_weak_client_does_not_keep_its_client() {
    let server = Server::accepting();
    let client = client(&server, options());
    let weak = client.downgrade();
    weak.upgrade().unwrap().write(point(1)).send().unwrap();
    assert!(server.requests().is_empty());
    drop(client);
    assert_eq!(server.requests().len(), 1);
    assert!(weak.upgrade().is_none());
    assert_eq!(format!("{weak:?}"), "WeakClient { .. }");
}

#[test]
fn a_callback_inside_the_callback_of_another_client_may_flush_the_outer_one() {
    let server = Server::accepting();
    let stalling = Server::start(|_, _| Reply::Stall);
    for policy in [OnFull::Block, OnFull::Error] {
        let outer = Handle::default();
        let (sender, flushed) = mpsc::channel();
        let inner = client(
            &stalling,
            options()
                .buffer_limit(4 << 10)
                .on_full(OnFull::DropNewest)
                .max_close_wait(Duration::ZERO)
                .error_callback({
                    let outer = outer.clone();
                    let sender = Mutex::new(sender);
                    move |_, _| {
                        // It runs on the worker of the outer client, which cannot wait for itself.
                        let outer = upgrade(&outer).unwrap();
                        outer.flush().unwrap();
                        let errors = (0..9).map(|_| outer.write(long_line()).send());
                        let kinds = errors.filter_map(Result::err).map(|error| error.kind());
                        let is_full = kinds.collect::<Vec<_>>().contains(&ErrorKind::BufferFull);
                        let _ = sender.lock().unwrap().send(is_full);
                    }
                }),
        );
        let options = options().buffer_limit(4 << 10).on_full(policy).success_callback({
            let inner = inner.clone();
            move |_| {
                for _ in 0..9 {
                    inner.write(long_line()).send().unwrap();
                }
            }
        });
        let client = client_of(&server, &outer, options);
        client.write(point(1)).send().unwrap();
        client.flush().unwrap();
        assert!(
            flushed.recv_timeout(HANGS).unwrap(),
            "to wait for room is to wait for oneself, too"
        );
        client.close().unwrap();
        inner.close().unwrap_err();
    }
}

/// About a kilobyte.
fn long_line() -> String {
    format!("m f=\"{}\" 1", "x".repeat(1000))
}

#[cfg(feature = "csv")]
#[test]
fn a_callback_inside_the_callback_of_another_client_cannot_wait_for_a_file_of_the_outer_one() {
    let server = Server::accepting();
    let stalling = Server::start(|_, _| Reply::Stall);
    let outer = Handle::default();
    let (sender, told) = mpsc::channel();
    let inner = client(
        &stalling,
        options()
            .buffer_limit(4 << 10)
            .on_full(OnFull::DropNewest)
            .max_close_wait(Duration::ZERO)
            .error_callback({
                let (outer, sender) = (outer.clone(), Mutex::new(sender));
                move |_, _| {
                    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/home.csv");
                    let outer = upgrade(&outer).unwrap();
                    let error = outer.write_file(file).measurement("m").send().unwrap_err();
                    let _ = sender.lock().unwrap().send(error.to_string());
                }
            }),
    );
    let options = options().success_callback({
        let inner = inner.clone();
        move |_| (0..9).for_each(|_| inner.write(long_line()).send().unwrap())
    });
    let client = client_of(&server, &outer, options);
    client.write(point(1)).send().unwrap();
    client.flush().unwrap();
    assert!(told.recv_timeout(HANGS).unwrap().contains("callback"));
    client.close().unwrap();
    inner.close().unwrap_err();
}

#[cfg(target_os = "linux")]
mod threads {
    use super::*;

    /// Threads are counted for the whole process, so these tests take turns.
    static TURN: Mutex<()> = Mutex::new(());

    fn count(ids: &[String]) -> usize {
        ids.iter()
            .filter(|id| std::path::Path::new(&format!("/proc/self/task/{id}")).exists())
            .count()
    }

    /// The id of this thread, as its callback sees it.
    fn own_id() -> String {
        let link = std::fs::read_link("/proc/thread-self").unwrap();
        link.file_name().unwrap().to_string_lossy().into_owned()
    }

    fn name_of_this_thread() -> String {
        thread::current().name().unwrap_or_default().to_owned()
    }

    /// Waits until none of the threads is there.
    fn wait_until_gone(ids: &[String]) {
        let start = std::time::Instant::now();
        while count(ids) > 0 {
            assert!(start.elapsed() < HANGS, "threads are left");
            thread::yield_now();
        }
    }

    fn noting(ids: &Arc<Mutex<Vec<String>>>, options: WriteOptions) -> WriteOptions {
        let ids = ids.clone();
        options.success_callback(move |_| {
            assert_eq!(name_of_this_thread(), "influxdb3-write");
            ids.lock().unwrap().push(own_id());
        })
    }

    #[test]
    fn end_when_the_client_is_closed_though_a_callback_owns_a_clone() {
        let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let server = Server::accepting();
        let ids = Arc::default();
        let own: Arc<OnceLock<Client>> = Arc::default();
        let options = noting(&ids, options()).retry_callback({
            let own = own.clone();
            move |_, _| {
                own.get().map(Client::write_stats);
            }
        });
        let client = client(&server, options);
        own.set(client.clone()).unwrap();
        client.write(point(1)).send().unwrap();
        client.close().unwrap();
        let ids = ids.lock().unwrap().clone();
        assert_eq!(ids.len(), 1);
        wait_until_gone(&ids);
        drop(client);
    }

    #[test]
    fn end_with_the_last_client_and_the_last_handle() {
        let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let server = Server::accepting();
        let ids = Arc::default();
        let scheduler = ThreadPoolScheduler::new(2);
        let build = || client(&server, noting(&ids, options().write_scheduler(scheduler.clone())));
        let (first, second) = (build(), build());
        first.write(point(1)).send().unwrap();
        drop(first);
        second.write(point(2)).send().unwrap();
        drop(second);
        let ids = ids.lock().unwrap().clone();
        assert!(count(&ids) > 0, "the handle keeps them");
        drop(scheduler);
        wait_until_gone(&ids);
    }

    #[test]
    fn end_with_a_close_that_cannot_wait_though_a_request_is_under_way() {
        let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let server = Server::start(|n, _| if n == 0 { Reply::status(204) } else { Reply::Stall });
        let ids = Arc::default();
        let options = options().max_close_wait(Duration::from_millis(10));
        let client = client(&server, noting(&ids, options));
        client.write(point(1)).send().unwrap();
        client.flush().unwrap();
        client.write(points(2..1002)).timeout(crate::support::batching::NEVER).send().unwrap();
        server.wait_for(2);
        client.close().unwrap_err();
        wait_until_gone(&ids.lock().unwrap().clone());
    }
}
