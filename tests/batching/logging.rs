//! What is logged, and how loudly. A process has one logger, so these tests have processes of their own.

use log::Level;

use crate::support::batching::{Events, client_at, options, point};
use crate::support::http::{Gate, Reply, Server};
use crate::support::logged::{keep_lines, logged, of};
use crate::support::own_process::in_own_process;
use influxdb3_blocking::{Client, OnFull};
use influxdb3_dev_server::{DevServer, Fault};

#[test]
fn an_outage_is_told_once_at_its_beginning_and_once_at_its_end() {
    in_own_process("logging::an_outage_is_told_once_at_its_beginning_and_once_at_its_end", || {
        keep_lines();
        let server = Server::start(|n, _| Reply::status(if n < 5 { 503 } else { 204 }));
        let client = client_at(&server.url(), options().batch_size(1));
        for n in 0..3 {
            client.write(point(n)).send().unwrap();
        }
        client.flush().unwrap();
        let lines = logged();
        assert_eq!(of(&lines, Level::Warn, "1 lines are sent again in "), 1, "{lines:?}");
        assert_eq!(of(&lines, Level::Debug, "are sent again in "), 4, "{lines:?}");
        assert_eq!(of(&lines, Level::Info, "writes are taken again"), 1, "{lines:?}");
        assert_eq!(of(&lines, Level::Debug, "connected to 127.0.0.1:"), 1, "{lines:?}");
        assert_eq!(lines.len(), 7, "{lines:?}");
    });
}

#[test]
fn lines_that_are_lost_are_told_whoever_else_is_told_of_them() {
    in_own_process("logging::lines_that_are_lost_are_told_whoever_else_is_told_of_them", || {
        keep_lines();
        let refusing = Server::start(|_, _| Reply::text(400, r#"{"error":"no thanks"}"#));
        for options in [options(), Events::new().record(options())] {
            let client = client_at(&refusing.url(), options);
            client.write(vec![point(1), point(2)]).send().unwrap();
            let _ = client.flush();
            let lines = logged();
            assert_eq!(of(&lines, Level::Warn, "2 lines are not written: "), 1, "{lines:?}");
            assert_eq!(of(&lines, Level::Warn, "no thanks"), 1, "{lines:?}");
        }
        let gate = Gate::default();
        let slow = Server::start({
            let gate = gate.clone();
            move |_, _| Reply::After(gate.clone(), Reply::status(204).into())
        });
        let options = options().batch_size(1).buffer_limit(4 << 10).on_full(OnFull::DropNewest);
        let client = client_at(&slow.url(), options);
        for n in 0..3 {
            client.write(format!("m f=\"{}\" {n}", "x".repeat(2000))).send().unwrap();
            slow.wait_for(1);
        }
        gate.open();
        client.flush().unwrap();
        let lines = logged();
        assert_eq!(
            of(&lines, Level::Warn, "the buffer is full and lines are dropped"),
            1,
            "{lines:?}"
        );
    });
}

#[test]
fn the_cluster_of_a_host_is_told_once_and_again_when_it_is_another() {
    in_own_process(
        "logging::the_cluster_of_a_host_is_told_once_and_again_when_it_is_another",
        || {
            keep_lines();
            let server = DevServer::builder().version("3.12").start().unwrap();
            let client = Client::builder().host(server.url()).token("s3cret").database("db");
            let client = client.build().unwrap();
            for n in 0..3 {
                client.write(point(n)).send().unwrap();
            }
            server.set_fault(Fault::Stopping);
            client.write(point(4)).send().unwrap_err();
            let lines = logged();
            assert_eq!(of(&lines, Level::Info, "belongs to the cluster"), 1, "{lines:?}");
            assert_eq!(of(&lines, Level::Debug, "connected to"), 1, "{lines:?}");
            let moved = Server::start(|n, _| {
                let cluster = if n < 2 { "one" } else { "two" };
                Reply::Answer(204, vec![("cluster-uuid", cluster.to_owned())], Vec::new())
            });
            let client = Client::builder().host(moved.url()).database("db").build().unwrap();
            for n in 0..4 {
                client.write(point(n)).send().unwrap();
            }
            let lines = logged();
            assert_eq!(of(&lines, Level::Info, "belongs to the cluster one"), 1, "{lines:?}");
            assert_eq!(of(&lines, Level::Warn, "cluster two, and to one before"), 1, "{lines:?}");
            assert!(lines.iter().all(|(_, text)| !text.contains("s3cret")));
        },
    );
}

#[test]
fn a_request_that_is_cut_for_its_size_says_so() {
    in_own_process("logging::a_request_that_is_cut_for_its_size_says_so", || {
        keep_lines();
        let server = Server::start(|_, request| {
            Reply::status(if request.body.len() > 30 { 413 } else { 204 })
        });
        let points = || (0..4).map(point).collect::<Vec<_>>();
        let synchronous = Client::builder().host(server.url()).database("db").build().unwrap();
        synchronous.write(points()).send().unwrap();
        let lines = logged();
        assert_eq!(
            of(&lines, Level::Warn, "is cut into smaller ones: the request is too large"),
            1
        );
        let batching = client_at(&server.url(), options());
        batching.write(points()).send().unwrap();
        batching.flush().unwrap();
        let lines = logged();
        assert_eq!(
            of(&lines, Level::Warn, "is cut into smaller ones: the request is too large"),
            1
        );
    });
}
