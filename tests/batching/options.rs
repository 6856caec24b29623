//! The options of batching: what they are, and what is refused.

use std::time::Duration;

use influxdb3_blocking::{Client, ErrorKind, OnFull, ThreadPoolScheduler, WriteOptions};

fn problems(options: WriteOptions) -> String {
    let built = Client::builder().host("http://localhost:1").write_options(options).build();
    let error = built.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

#[test]
fn the_defaults_are_those_of_the_reference() {
    let shown = format!("{:?}", WriteOptions::default());
    for expected in [
        "batch_size: 1000,",
        "flush_interval: 1s,",
        "jitter_interval: 0ns,",
        "retry_interval: 5s,",
        "max_retries: 5,",
        "max_retry_delay: 125s,",
        "max_retry_time: 180s,",
        "exponential_base: 2,",
        "max_close_wait: 300s,",
        "write_scheduler: None,",
        "max_batch_bytes: 1048576,",
        "buffer_limit: 16777216,",
        "on_full: Block,",
        "success_callback: false,",
    ] {
        assert!(shown.contains(expected), "{expected} is not in {shown}");
    }
}

#[test]
fn a_client_is_synchronous_unless_told_otherwise() {
    let client = Client::builder().host("http://localhost:1").database("d").build().unwrap();
    client.flush().unwrap();
    assert_eq!(client.write_stats().accepted.lines, 0);
    let error = client.write("m f=1 1").send().unwrap_err();
    assert_eq!((error.kind(), error.unsent().len()), (ErrorKind::Connect, 1));
    client.close().unwrap();
}

#[test]
fn batching_options_on_synchronous_writes_are_refused_by_name() {
    let text = problems(
        WriteOptions::synchronous()
            .batch_size(5)
            .flush_interval(Duration::from_secs(1))
            .success_callback(|_| {}),
    );
    assert!(text.contains("batch_size, flush_interval, success_callback"), "{text}");
    assert!(text.contains("WriteOptions::default()"), "{text}");
    let client = Client::builder().host("http://localhost:1").build().unwrap();
    let error =
        client.with_write_options(WriteOptions::synchronous().on_full(OnFull::Error)).unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("on_full"), "{error}");
    client.with_write_options(WriteOptions::synchronous()).unwrap();
}

#[test]
fn every_option_without_a_meaning_is_named_at_once() {
    let text = problems(
        WriteOptions::default()
            .batch_size(0)
            .max_batch_bytes(0)
            .buffer_limit(4095)
            .flush_interval(Duration::ZERO)
            .exponential_base(0)
            .write_scheduler(ThreadPoolScheduler::new(0)),
    );
    for expected in [
        "batch_size is 0",
        "max_batch_bytes is 0",
        "buffer_limit is 4095",
        "flush_interval is 0",
        "exponential_base is 0",
        "write_scheduler has no workers",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
}

#[test]
fn the_longest_durations_are_no_problem() {
    let server = crate::support::http::Server::accepting();
    let options = WriteOptions::default()
        .flush_interval(Duration::MAX)
        .retry_interval(Duration::MAX)
        .max_retry_delay(Duration::MAX)
        .max_retry_time(Duration::MAX)
        .max_close_wait(Duration::MAX)
        .on_full(OnFull::BlockFor(Duration::MAX));
    let client = Client::builder()
        .host(server.url())
        .database("d")
        .connect_timeout(Duration::MAX)
        .write_timeout(Duration::MAX)
        .write_options(options)
        .build()
        .unwrap();
    client.write("m f=1").send().unwrap();
    client.flush().unwrap();
    client.write("m f=1").send().unwrap();
    client.close().unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn options_and_schedulers_can_be_cloned_and_shown() {
    let scheduler = ThreadPoolScheduler::new(3);
    let clone = scheduler.clone();
    assert_eq!((scheduler.max_workers(), clone.max_workers()), (3, 3));
    assert_eq!(format!("{scheduler:?}"), "ThreadPoolScheduler { max_workers: 3, .. }");
    let options = WriteOptions::default().write_scheduler(scheduler).retry_callback(|_, _| {});
    let clone = options.clone();
    assert_eq!(format!("{clone:?}"), format!("{options:?}"));
    let shown = format!("{options:?}");
    assert!(shown.contains("max_workers: 3") && shown.contains("retry_callback: true"), "{shown}");
    assert_eq!(format!("{:?}", WriteOptions::synchronous()), "WriteOptions::synchronous()");
}
