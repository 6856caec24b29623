//! A process that is killed again and again while it writes: in the end everything is in the table that it was told is safe.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use influxdb3_blocking::{Client, Spool, SpoolSync, WriteOptions};
use influxdb3_dev_server::DevServer;

use crate::fixtures::Directory;
use crate::random::Random;
use crate::support::batching::points;
use crate::support::http::HANGS;

const NAME: &str = "crashes::what_was_told_to_be_safe_survives_being_killed";

/// The line that says that everything up to a number is safe.
const SAFE: &str = "safe up to ";

/// How far apart the numbers of one process are from those of the next.
const STEP: i64 = 1 << 32;

fn client(url: &str, directory: &std::path::Path, mode: &str) -> Client {
    let spool = Spool::directory(directory).limit(1 << 28);
    let spool = match mode {
        "always" => spool.always(true).sync(SpoolSync::Every(Duration::from_millis(20))),
        "always, synced" => spool.always(true).sync(SpoolSync::EveryBatch),
        _ => spool.sync(SpoolSync::Never),
    };
    let options = WriteOptions::default()
        .batch_size(20)
        .flush_interval(Duration::from_millis(2))
        .retry_interval(Duration::from_millis(1))
        .max_retry_delay(Duration::from_millis(5))
        .max_retries(1)
        .spool(spool);
    Client::builder().host(url).database("db").write_options(options).build().unwrap()
}

/// What a child does until it is killed.
fn write_until_killed(url: &str) {
    let variable = |name: &str| std::env::var(name).unwrap();
    let mode = variable("SPOOL_MODE");
    let client = client(url, variable("SPOOL_DIRECTORY").as_ref(), &mode);
    let mut random = Random::new(variable("SPOOL_SEED").parse().unwrap());
    let mut next: i64 = variable("SPOOL_FIRST").parse().unwrap();
    let mut out = std::io::stdout();
    loop {
        let count = 1 + random.below(30) as i64;
        client.write(points(next..next + count)).send().unwrap();
        next += count;
        if mode == "on trouble" {
            if !random.one_in(5) {
                continue;
            }
            client.flush_to_disk().unwrap();
        }
        writeln!(out, "{SAFE}{next}").unwrap();
    }
}

/// Kills a child after it has told so many times what is safe; returns the number behind that.
fn kill_after(mut child: Child, times: usize) -> i64 {
    let out = BufReader::new(child.stdout.take().unwrap());
    let safe = out.lines().map_while(Result::ok);
    let mut safe = safe.filter_map(|line| line.strip_prefix(SAFE)?.parse::<i64>().ok());
    let last = safe.by_ref().nth(times);
    child.kill().unwrap();
    // It may have told more before it died.
    let last = safe.last().or(last);
    child.wait().unwrap();
    last.expect("the child says something before it is killed")
}

#[test]
fn what_was_told_to_be_safe_survives_being_killed() {
    if let Ok(url) = std::env::var("SPOOL_URL") {
        return write_until_killed(&url);
    }
    let kills = std::env::var("SPOOL_KILLS").ok().map_or(30, |kills| kills.parse().unwrap());
    let server = DevServer::builder().wal_flush_interval(Duration::from_millis(5)).start().unwrap();
    let directory = Directory::new();
    let mut random = Random::new(u64::from(std::process::id()));
    println!("seed {}", std::process::id());
    let mut safe: Vec<std::ops::Range<i64>> = Vec::new();
    for kill in 0..kills {
        match random.below(4) {
            0 => server.stop(),
            1 => server.restart().unwrap(),
            _ => server.resume().unwrap_or(()),
        }
        let first = kill * STEP;
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture", "--test-threads=1"])
            .env("SPOOL_URL", server.url())
            .env("SPOOL_DIRECTORY", directory.path())
            .env("SPOOL_MODE", random.pick(&["always", "always, synced", "on trouble"]))
            .env("SPOOL_SEED", random.number().to_string())
            .env("SPOOL_FIRST", first.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        safe.push(first..kill_after(child, random.below(60)));
    }
    server.stop();
    server.resume().unwrap();
    let last = client(&server.url(), directory.path(), "always");
    last.drain(HANGS).unwrap();
    let spool = last.write_stats().spool;
    last.close().unwrap();
    assert_eq!((spool.damaged, directory.names().len()), (0, 0), "{spool:?}");

    let plain = Client::builder().host(server.url()).database("db").build().unwrap();
    let table = plain.query("SELECT f FROM m ORDER BY f").table().unwrap();
    let stored: Vec<i64> = table.rows().map(|row| row.get("f").unwrap()).collect();
    let mut lines = 0;
    for range in safe {
        let from = stored.partition_point(|number| *number < range.start);
        for (place, number) in range.enumerate() {
            assert_eq!(stored.get(from + place), Some(&number), "{number} is lost");
            lines += 1;
        }
    }
    println!("{kills} kills, {lines} lines were safe, {} are stored", stored.len());
}
