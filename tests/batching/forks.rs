//! Batching in a child that was forked: it has none of the threads that send.
#![cfg(unix)]

use std::panic::AssertUnwindSafe;

use crate::support::batching::{client, client_at, numbers, options, point, points};
use crate::support::http::Server;
use crate::support::own_process::in_own_process;
use influxdb3_blocking::{Client, ErrorKind, ThreadPoolScheduler, WriteStats};

/// Runs `body` in a forked child, and returns when it is over.
fn in_child(body: impl FnOnce()) {
    // SAFETY: the child runs what is below on its only thread, and leaves by `_exit`.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        // Should it hang, this ends it.
        // SAFETY: a plain system call.
        unsafe { libc::alarm(60) };
        let passed = std::panic::catch_unwind(AssertUnwindSafe(body));
        // SAFETY: a plain system call.
        unsafe { libc::_exit(i32::from(passed.is_err())) };
    }
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0, "the child failed or hung");
}

fn assert_forked<T: std::fmt::Debug>(result: influxdb3_blocking::Result<T>) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
    assert!(error.to_string().contains("fork"), "{error}");
}

#[test]
fn a_forked_child_neither_hangs_nor_loses_lines_and_the_parent_goes_on() {
    let name = "forks::a_forked_child_neither_hangs_nor_loses_lines_and_the_parent_goes_on";
    in_own_process(name, || {
        let server = Server::accepting();
        let scheduler = ThreadPoolScheduler::new(2);
        let shared = || options().write_scheduler(scheduler.clone());
        let client = client(&server, shared());
        client.write(point(0)).send().unwrap();
        client.flush().unwrap();
        // They wait in the open batch.
        client.write(points(1..5)).send().unwrap();
        let url = server.url();
        let mut client = Some(client);
        in_child(|| {
            let client = client.take().unwrap();
            // Of single lines a few are taken before it is noticed.
            let refused = (0..16).find_map(|_| client.write(point(5)).send().err()).unwrap();
            assert_eq!(refused.unsent()[0].line_protocol(), b"m f=5i 5\n");
            assert_forked(Err::<(), _>(refused));
            assert_forked(client.write(point(5)).send());
            assert_forked(client.write(points(5..7)).send());
            assert_forked(client.flush());
            assert_eq!(client.write_stats(), WriteStats::default());
            let builder = Client::builder().host(&url).database("db");
            assert_forked(builder.write_options(shared()).build());
            assert_forked(client.close());
            drop(client);
            let own = client_at(&url, options());
            own.write(point(6)).send().unwrap();
            own.close().unwrap();
        });
        client.unwrap().close().unwrap();
        let requests = server.requests();
        let all: Vec<_> = requests.iter().map(|request| numbers(&request.body)).collect();
        assert_eq!(all, [vec![0], vec![6], vec![1, 2, 3, 4]]);
    });
}

#[cfg(feature = "spool")]
#[test]
fn a_forked_child_leaves_the_spool_of_its_parent_alone() {
    use influxdb3_blocking::Spool;

    in_own_process("forks::a_forked_child_leaves_the_spool_of_its_parent_alone", || {
        let server = Server::start(|_, _| crate::support::http::Reply::status(503));
        let directory = std::env::temp_dir().join(format!("spool-fork-{}", std::process::id()));
        let with_spool =
            || options().batch_size(2).max_retries(0).spool(Spool::directory(&directory));
        let client = client(&server, with_spool());
        client.write(points(0..5)).send().unwrap();
        client.flush_to_disk().unwrap();
        client.write(point(5)).send().unwrap();
        let files = || {
            let entries = std::fs::read_dir(&directory).unwrap();
            let read = |entry: std::io::Result<std::fs::DirEntry>| {
                let path = entry.unwrap().path();
                (path.clone(), std::fs::read(path).unwrap())
            };
            entries.map(read).collect::<std::collections::BTreeMap<_, _>>()
        };
        let before = files();
        let mut client = Some(client);
        in_child(|| {
            let client = client.take().unwrap();
            assert_forked(client.flush_to_disk());
            assert_forked(client.drain(std::time::Duration::from_secs(60)));
            drop(client);
        });
        assert_eq!(files(), before);
        let builder = Client::builder().host(server.url()).database("db");
        let second = builder.write_options(with_spool()).build();
        assert_eq!(second.unwrap_err().kind(), ErrorKind::File, "the parent has it still");
        let client = client.unwrap();
        client.close().unwrap();
        assert_eq!(client.write_stats().spool.on_disk.lines, 6);
        std::fs::remove_dir_all(&directory).unwrap();
    });
}
