//! Batching: random programs against a server with random faults. Whatever happens, every line that was accepted ends
//! in exactly one way, and the client says which.
//!
//! A program has up to three clients, which may share a scheduler with each other and with other programs, and up to
//! three threads that write points and files, flush, close, clone and drop. Callbacks do so as well.
//!
//! A failure prints its seed; `MODEL_SEED=… cargo test --test batching random_programs` runs that program alone, and `MODEL_RUNS`
//! says how many others there are.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Instant;

use crate::model::program::Actor;
use crate::model::world::{World, Worlds, serve};
use crate::random::Random;
use crate::support::batching::assert_adds_up;
use crate::support::http::{HANGS, Server};
use influxdb3_blocking::{Client, ThreadPoolScheduler};

fn run(seed: u64, server: &Server, worlds: &Worlds, shared: &[ThreadPoolScheduler]) {
    let mut random = Random::new(seed);
    let is_hasty = random.one_in(4);
    let scheduler = random.one_in(2).then(|| &shared[random.below(shared.len())]);
    let mut actors: Vec<Actor> = Vec::new();
    for number in 0..random.pick(&[1, 1, 2, 3]) {
        let database = format!("p{seed}-{number}");
        let world = World {
            random: Random::new(random.number()),
            fault_every: random.pick(&[2, 5, 1_000_000]),
            most_lines: random.pick(&[1, 3, 1000]),
            stalls: if is_hasty { 2 } else { 0 },
            stored: Default::default(),
        };
        worlds.lock().unwrap().insert(database.clone(), world);
        let sibling = actors.first().map(|actor| actor.client.clone()).filter(|_| random.one_in(2));
        let url = server.url();
        let actor = Actor::new(&url, database, is_hasty, scheduler, sibling.as_ref(), &mut random);
        actors.push(actor);
    }

    let threads = 1 + random.below(3);
    let seeds: Vec<_> = (0..threads).map(|_| random.number()).collect();
    thread::scope(|scope| {
        for seed in seeds {
            let handles: Vec<_> = actors.iter().map(Actor::handle).collect();
            scope.spawn(move || {
                let mut random = Random::new(seed);
                for _ in 0..random.below(20) {
                    handles[random.below(handles.len())].act(&mut random);
                }
            });
        }
    });
    for actor in actors {
        end(actor, worlds);
    }
}

/// Closes or drops a client, and checks what it told.
fn end(actor: Actor, worlds: &Worlds) {
    let Actor { client, database, account, is_dropped, is_reentrant } = actor;
    let stats = if is_dropped {
        let weak = client.downgrade();
        drop(client);
        assert!(is_reentrant || weak.upgrade().is_none());
        None
    } else {
        close(&client, |error| account.tell_error(&(0..0), error));
        Some(client)
    };
    // A close that has no time does not wait for a callback that runs. Callbacks are dropped after that.
    let start = Instant::now();
    while Arc::strong_count(&account) > 1 {
        assert!(start.elapsed() < HANGS, "callbacks are left");
        thread::yield_now();
    }
    let stats = stats.map(|client| {
        // What a callback did while the client was closed may have failed.
        close(&client, |error| account.tell_error(&(0..0), error));
        assert_adds_up(&client);
        client.write_stats()
    });
    let world = worlds.lock().unwrap().remove(&database).unwrap();
    account.check(&world, stats.as_ref());
}

fn close(client: &Client, mut tell: impl FnMut(&influxdb3_blocking::Error)) {
    while let Err(error) = client.close() {
        tell(&error);
    }
}

/// Ends the process if a program takes too long, as a program that hangs would not print its seed.
fn watch() -> Sender<u64> {
    let (sender, seeds) = channel();
    thread::spawn(move || {
        let mut current = None;
        loop {
            match seeds.recv_timeout(2 * HANGS) {
                Ok(seed) => current = Some(seed),
                Err(RecvTimeoutError::Timeout) => {
                    eprintln!("MODEL_SEED={} hangs", current.unwrap_or_default());
                    std::process::abort();
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    });
    sender
}

#[test]
fn every_accepted_line_ends_in_exactly_one_way() {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let alone = number("MODEL_SEED");
    let runs = alone.map_or_else(|| number("MODEL_RUNS").unwrap_or(2000), |_| 1);
    let next = AtomicU64::new(alone.unwrap_or(0));
    let end = next.load(Ordering::SeqCst) + runs;
    let shared =
        [ThreadPoolScheduler::new(1), ThreadPoolScheduler::new(1), ThreadPoolScheduler::new(3)];
    thread::scope(|scope| {
        for _ in 0..4.min(runs) {
            scope.spawn(|| {
                let worlds = Worlds::default();
                let watch = watch();
                let mut seed = next.fetch_add(1, Ordering::SeqCst);
                while seed < end {
                    // A server keeps what it was sent, so it is not kept for all of them.
                    let server = serve(&worlds);
                    for _ in 0..20 {
                        if seed >= end {
                            break;
                        }
                        watch.send(seed).unwrap();
                        let result =
                            catch_unwind(AssertUnwindSafe(|| run(seed, &server, &worlds, &shared)));
                        if let Err(panic) = result {
                            eprintln!("MODEL_SEED={seed}");
                            resume_unwind(panic);
                        }
                        seed = next.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
}
