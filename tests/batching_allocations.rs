//! Batching: what the process really allocates while the server is away stays within the limit of the buffer and a
//! constant.
#![cfg(feature = "gzip")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use influxdb3_blocking::{
    Client, LineBuffer, OnFull, ThreadPoolScheduler, Timestamp, WriteOptions,
};

/// Counts the bytes that are allocated, and the most there were.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn add(bytes: usize) {
    let live = LIVE.fetch_add(bytes, SeqCst) + bytes;
    PEAK.fetch_max(live, SeqCst);
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), SeqCst);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Memory that moves is not there twice as far as the limit is concerned.
        add(size.saturating_sub(layout.size()));
        LIVE.fetch_sub(layout.size().saturating_sub(size), SeqCst);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Answers 503 to so many requests, then 204, and keeps nothing.
fn serve(down_for: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let left = Arc::new(AtomicUsize::new(down_for));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let left = left.clone();
            thread::spawn(move || answer(stream, &left));
        }
    });
    url
}

fn answer(mut stream: TcpStream, left: &AtomicUsize) -> Option<()> {
    let mut buffer = [0; 16 << 10];
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut buffer[..1]).ok()?;
            head.push(buffer[0]);
        }
        let text = String::from_utf8(head).ok()?.to_ascii_lowercase();
        let length = text.split("content-length: ").nth(1)?.lines().next()?;
        let mut missing: usize = length.parse().ok()?;
        while missing > 0 {
            let most = missing.min(buffer.len());
            missing -= stream.read(&mut buffer[..most]).ok().filter(|&read| read > 0)?;
        }
        let is_down = left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        let answer = if is_down {
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
        } else {
            "HTTP/1.1 204 No Content\r\n\r\n"
        };
        stream.write_all(answer.as_bytes()).ok()?;
    }
}

fn produce(client: &Client, producer: usize) -> u64 {
    let mut buffer = LineBuffer::new();
    let mut refused = 0;
    for call in 0..CALLS {
        buffer.clear();
        for line in 0..LINES {
            let number = ((producer * CALLS + call) * LINES + line) as i64;
            let line = buffer.measurement("m").unwrap().tag("room", "Living Room").unwrap();
            line.field("f", number).unwrap().at(Timestamp::nanos(number)).unwrap();
        }
        // Many batches are open at the same time, and would be half empty if each grew as vectors do.
        let request = client.write(&buffer).database(format!("db{}", call % DATABASES));
        refused += request.send().map_or(LINES as u64, |()| 0);
    }
    refused
}

#[test]
fn an_outage_with_compression_and_several_producers_allocates_no_more_than_the_limit() {
    for on_full in [OnFull::Block, OnFull::DropNewest, OnFull::DropOldest, OnFull::Error] {
        let url = serve(200);
        let options = WriteOptions::default()
            .buffer_limit(LIMIT)
            .batch_size(1_000_000)
            .on_full(on_full)
            .max_retries(u32::MAX)
            .retry_interval(Duration::from_millis(1))
            .max_retry_delay(Duration::from_millis(1))
            .write_scheduler(ThreadPoolScheduler::new(WORKERS));
        let client = Client::builder().host(url).database("db").gzip_threshold(1000);
        let client = client.write_options(options).build().unwrap();
        let before = LIVE.load(SeqCst);
        PEAK.store(before, SeqCst);
        let refused: u64 = thread::scope(|scope| {
            let producers: Vec<_> = (0..PRODUCERS)
                .map(|producer| {
                    scope.spawn({
                        let client = &client;
                        move || produce(client, producer)
                    })
                })
                .collect();
            producers.into_iter().map(|producer| producer.join().unwrap()).sum()
        });
        client.close().unwrap();
        let peak = PEAK.load(SeqCst) - before;
        let stats = client.write_stats();
        assert_eq!(stats.accepted.lines + refused, (PRODUCERS * CALLS * LINES) as u64);
        assert_eq!(stats.written.lines + stats.dropped.lines, stats.accepted.lines);
        assert!(peak > LIMIT / 2, "{on_full:?}: {peak} bytes are far from the limit");
        assert!(peak <= LIMIT + CONSTANT, "{on_full:?}: {peak} bytes");
    }
}

const PRODUCERS: usize = 2;
const CALLS: usize = 1000;
const DATABASES: usize = 33;
const LINES: usize = 200;
const WORKERS: usize = 2;
const LIMIT: usize = 8 << 20;

/// For each worker the buffers of its connection, for each worker and each producer the state of a compression, 320 KiB,
/// and for each producer what it encodes into; 2.4 MiB in all, and as much again as a quarter of it for small things.
const CONSTANT: usize = 3 << 20;
