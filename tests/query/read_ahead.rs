//! What is held for a reader that does not read: bounded, given back, and of one process.
#![cfg(all(feature = "query", target_os = "linux"))]

use std::panic::AssertUnwindSafe;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::batches::{answer, messages, numbers};
use crate::support::flight::{FlightServer, Step, grpc_message, ok};
use crate::support::own_process::{in_own_process, resident};
use bytes::Bytes;
use influxdb3_blocking::{Client, Error, ErrorKind};

/// Longer than anything here takes: it only tells a hang from a pass.
const LONG: Duration = Duration::from_secs(60);

fn client(server: &FlightServer) -> Client {
    Client::builder().host(server.url()).database("sensors").build().unwrap()
}

#[test]
fn a_query_that_is_tried_again_may_read_ahead_as_much_as_the_first_time() {
    let whole = answer(vec![numbers(3)]);
    let mut prefix = vec![0];
    prefix.extend((32_u32 << 20).to_be_bytes());
    let server = FlightServer::start(move |_, n| match n {
        // A message that takes everything that may be read ahead, and never comes.
        0 => vec![Step::Head, Step::Raw(prefix.clone()), Step::Hangup],
        _ => whole.clone(),
    });
    let table = client(&server).query("SELECT 1").timeout(LONG).table().unwrap();
    assert_eq!((table.num_rows(), server.calls().len()), (3, 2));
}

#[test]
fn messages_without_content_take_a_bounded_amount_of_memory() {
    in_own_process("read_ahead::messages_without_content_take_a_bounded_amount_of_memory", || {
        let schema = messages(&[numbers(3)])[0].clone();
        let empty = Bytes::from(grpc_message(&[]).repeat(2 << 20)); // 10 MiB
        let endless = vec![Step::Head, Step::Message(schema), Step::Shared(empty), ok()];
        let server = FlightServer::replay(endless);
        let client = client(&server);
        let before = resident();
        let unread = client.query("SELECT 1").reader().unwrap();
        // The pause is what is tested: that long the driver may read ahead.
        let end = Instant::now() + Duration::from_secs(4);
        while Instant::now() < end {
            // The 10 MiB as they were received, and what is read ahead.
            let grown = (resident() - before) >> 20;
            assert!(grown < 60, "{grown} MiB");
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(unread.count(), 0);
    });
}

#[test]
fn a_forked_child_gets_an_error_from_a_reader_and_can_query() {
    in_own_process("read_ahead::a_forked_child_gets_an_error_from_a_reader_and_can_query", || {
        let mut steps = answer(vec![numbers(3)]);
        steps.pop();
        steps.push(Step::Stall);
        let whole = answer(vec![numbers(5)]);
        let server =
            FlightServer::start(move |_, n| if n == 0 { steps.clone() } else { whole.clone() });
        let client = client(&server);
        let mut reader = client.query("SELECT 1").reader().unwrap();
        assert_eq!(reader.next().unwrap().unwrap().num_rows(), 3);
        // SAFETY: the child runs what is below on its only thread, and leaves by `_exit`.
        let child = unsafe { libc::fork() };
        assert!(child >= 0);
        if child == 0 {
            // Should it hang, this ends it.
            // SAFETY: a plain system call.
            unsafe { libc::alarm(60) };
            let passed = std::panic::catch_unwind(AssertUnwindSafe(move || {
                let error = Error::from(reader.next().unwrap().unwrap_err());
                assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
                assert!(error.to_string().contains("fork"), "{error}");
                assert!(reader.next().is_none());
                reader.cancel_handle().cancel();
                drop(reader);
                assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 5);
                client.close().unwrap();
            }));
            // SAFETY: a plain system call.
            unsafe { libc::_exit(i32::from(passed.is_err())) };
        }
        let mut status = 0;
        // SAFETY: `status` outlives the call.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert_eq!(status, 0, "the child failed or hung");
        // The parent's reader is as it was.
        let cancel = reader.cancel_handle();
        cancel.cancel();
        let error = Error::from(reader.next().unwrap().unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Cancelled);
    });
}
