//! Batching: random programs against a server with random faults. Whatever happens, every line that was accepted ends
//! in exactly one way, and the client says which.
//!
//! A failure prints its seed; `MODEL_SEED=… cargo test --test batching_model` runs that program alone, and `MODEL_RUNS`
//! says how many others there are.

mod random;
mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use influxdb3_blocking::{
    Batch, Client, Error, ErrorKind, OnFull, ThreadPoolScheduler, WriteOptions,
};
use random::Random;
use support::batching::{assert_adds_up, numbers, points};
use support::http::{HANGS, Reply, Request, Server};

/// What the server knows of a program.
struct World {
    random: Random,
    /// One of so many requests is answered wrongly.
    fault_every: usize,
    most_lines: usize,
    /// How many requests may still be left without an answer, which takes the client a while to notice.
    stalls: usize,
    stored: BTreeSet<i64>,
}

type Worlds = Arc<Mutex<HashMap<String, World>>>;

/// The server does not take these.
fn is_bad(number: i64) -> bool {
    number % 17 == 5
}

fn answer(world: &mut World, request: &Request) -> Reply {
    let lines = numbers(&request.body);
    let is_fault = world.random.one_in(world.fault_every);
    let fault = world.random.below(9);
    match fault {
        _ if lines.len() > world.most_lines => return Reply::status(413),
        0 if is_fault => return Reply::status(503),
        1 if is_fault => return Reply::Answer(429, vec![("retry-after", "0".into())], vec![]),
        2 if is_fault => return Reply::Close,
        3 if is_fault => return Reply::status(401),
        4 if is_fault => return Reply::Raw(b"HTTP/1.1 5".to_vec()),
        5 if is_fault && world.stalls > 0 => {
            world.stalls -= 1;
            return Reply::Stall;
        }
        _ => {}
    }
    let bad: Vec<_> = (0..lines.len()).filter(|place| is_bad(lines[*place])).collect();
    let is_v2 = request.path.starts_with("/api/v2/");
    if is_v2 && !bad.is_empty() {
        return Reply::text(
            400,
            r#"{"code":"invalid","message":"write buffer error: parsing for line protocol failed"}"#,
        );
    }
    world.stored.extend(lines.iter().filter(|number| !is_bad(**number)));
    match fault {
        // It is stored, but the client cannot know.
        6 if is_fault => return Reply::Close,
        7 if is_fault => return Reply::status(500),
        8 if is_fault && bad.is_empty() => return Reply::AnswerThenClose(204),
        _ => {}
    }
    if bad.is_empty() {
        return Reply::status(204);
    }
    let named: Vec<_> = bad
        .iter()
        .map(|place| format!(r#"{{"error_message":"bad","line_number":{}}}"#, place + 1))
        .collect();
    let body = format!(r#"{{"error":"partial write","data":[{}]}}"#, named.join(","));
    Reply::text(400, &body)
}

/// Where the numbers of one program went, as its client tells.
#[derive(Default)]
struct Told {
    /// How often each number was told to be settled.
    ends: BTreeMap<i64, Vec<&'static str>>,
}

type Tale = Arc<Mutex<Told>>;

fn tell(tale: &Tale, end: &'static str, batch: &Batch) {
    let mut tale = tale.lock().unwrap();
    for number in numbers(batch.line_protocol()) {
        tale.ends.entry(number).or_default().push(end);
    }
}

fn tell_error(tale: &Tale, own: &[i64], error: &Error) {
    for batch in error.unsent() {
        let mut tale = tale.lock().unwrap();
        for number in numbers(batch.line_protocol()) {
            let end = if own.contains(&number) { "refused" } else { "handed back" };
            tale.ends.entry(number).or_default().push(end);
        }
    }
    for line in error.line_errors().iter().filter_map(|line| line.line()) {
        let number = numbers(line.as_bytes())[0];
        tale.lock().unwrap().ends.entry(number).or_default().push("named");
    }
}

struct Program {
    seed: u64,
    has_error_callback: bool,
    tale: Tale,
    next_number: AtomicI64,
}

fn run(seed: u64, server: &Server, worlds: &Worlds, shared: &ThreadPoolScheduler) {
    let mut random = Random::new(seed);
    let database = format!("p{seed}");
    let is_hasty = random.one_in(4);
    worlds.lock().unwrap().insert(
        database.clone(),
        World {
            random: Random::new(seed ^ 0xfau64),
            fault_every: random.pick(&[2, 5, 1_000_000]),
            most_lines: random.pick(&[1, 3, 1000]),
            stalls: if is_hasty { 2 } else { 0 },
            stored: BTreeSet::new(),
        },
    );
    let program = Program {
        seed,
        has_error_callback: random.one_in(2),
        tale: Tale::default(),
        next_number: AtomicI64::new(1_000_000),
    };
    let client = Client::builder()
        .host(server.url())
        .database(&database)
        .write_timeout(Duration::from_millis(if is_hasty { 20 } else { 30_000 }))
        .write_options(options(&program, &mut random, shared))
        .build()
        .unwrap();

    let threads = 1 + random.below(3);
    let seeds: Vec<_> = (0..threads).map(|_| random.number()).collect();
    thread::scope(|scope| {
        for seed in seeds {
            let (client, program) = (client.clone(), &program);
            scope.spawn(move || act(&client, program, &mut Random::new(seed)));
        }
    });
    let weak = client.downgrade();
    let stats = if program.has_error_callback && random.one_in(3) {
        // Nobody can be told but the callback.
        drop(client);
        assert!(weak.upgrade().is_none());
        None
    } else {
        while let Err(error) = client.close() {
            tell_error(&program.tale, &[], &error);
        }
        assert_adds_up(&client);
        Some(client.write_stats())
    };

    // A close that has no time does not wait for a callback that runs. Callbacks are dropped after that.
    let start = Instant::now();
    while Arc::strong_count(&program.tale) > 1 {
        assert!(start.elapsed() < HANGS, "callbacks are left");
        thread::yield_now();
    }
    let told = program.tale.lock().unwrap();
    let world = worlds.lock().unwrap().remove(&database).unwrap();
    let mut untold = 0;
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for number in 1_000_000..program.next_number.load(Ordering::SeqCst) {
        let ends = told.ends.get(&number).map_or(&[][..], Vec::as_slice);
        match ends {
            [] => untold += 1,
            [end] => *counts.entry(end).or_default() += 1,
            more => panic!("{number} ended more than once: {more:?}"),
        }
        if ends == ["written"] {
            assert!(
                world.stored.contains(&number),
                "{number} was told to be written and is not stored"
            );
            assert!(!is_bad(number));
        }
    }
    let Some(stats) = stats else {
        assert_eq!(untold, 0, "{counts:?}");
        return;
    };
    let count = |end| counts.get(end).copied().unwrap_or(0);
    let all = u64::try_from(program.next_number.load(Ordering::SeqCst)).unwrap() - 1_000_000;
    let refused = all - stats.accepted.lines;
    let context = format!("{stats:?} {counts:?}, {refused} refused, {untold} untold");
    assert_eq!(stats.pending.lines, 0, "{context}");
    assert_eq!(stats.written.lines, count("written"), "{context}");
    if program.has_error_callback {
        let lost = stats.rejected.lines + stats.failed.lines + stats.dropped.lines;
        assert_eq!((count("failed"), untold), (lost, 0), "{context}");
        assert_eq!(count("handed back"), stats.returned.lines, "{context}");
        assert_eq!(count("refused"), refused, "{context}");
    } else {
        assert_eq!(
            (count("named"), untold),
            (stats.rejected.lines, stats.dropped.lines),
            "{context}"
        );
        // The first lines of a large call may have failed when the others are refused.
        let back = count("handed back") + count("refused");
        assert_eq!(back, stats.returned.lines + stats.failed.lines + refused, "{context}");
    }
}

fn options(program: &Program, random: &mut Random, shared: &ThreadPoolScheduler) -> WriteOptions {
    let millis =
        |random: &mut Random, most: usize| Duration::from_micros(random.below(1000 * most) as u64);
    let mut options = WriteOptions::default()
        .batch_size(1 + random.below(8))
        .max_batch_bytes(if random.one_in(3) { 60 } else { 1 << 20 })
        .buffer_limit(if random.one_in(2) { 4 << 10 } else { 16 << 10 })
        .on_full(random.pick(&[
            OnFull::Block,
            OnFull::Block,
            OnFull::BlockFor(Duration::from_millis(1)),
            OnFull::Error,
            OnFull::DropNewest,
            OnFull::DropOldest,
        ]))
        .flush_interval(Duration::from_micros(100) + millis(random, 5))
        .retry_interval(millis(random, 2))
        .max_retries(random.below(4) as u32)
        .max_retry_delay(Duration::from_millis(2))
        .max_close_wait(random.pick(&[
            Duration::ZERO,
            Duration::from_millis(3),
            Duration::from_secs(60),
            Duration::from_secs(60),
        ]));
    if random.one_in(3) {
        options = options.jitter_interval(millis(random, 2));
    }
    options = match random.below(4) {
        0 => options.write_scheduler(shared.clone()),
        1 => options.write_scheduler(ThreadPoolScheduler::new(3)),
        _ => options,
    };
    let panics = random.one_in(4);
    let tale = program.tale.clone();
    options = options.success_callback(move |batch| {
        tell(&tale, "written", batch);
        if panics && batch.lines() % 2 == 0 {
            resume_unwind(Box::new("a callback that panics without a word"));
        }
    });
    if program.has_error_callback {
        let tale = program.tale.clone();
        options = options.error_callback(move |batch, _| tell(&tale, "failed", batch));
    }
    options
}

fn act(client: &Client, program: &Program, random: &mut Random) {
    for _ in 0..random.below(20) {
        match random.below(12) {
            0 => {
                if let Err(error) = client.flush() {
                    tell_error(&program.tale, &[], &error);
                }
            }
            1 => assert_adds_up(client),
            2 if random.one_in(8) => {
                if let Err(error) = client.close() {
                    tell_error(&program.tale, &[], &error);
                }
            }
            3 => drop(client.clone()),
            _ => {
                let most = random.pick(&[1, 1, 1, 3, 3, 20, 150]);
                let count = 1 + random.below(most) as i64;
                let first = program.next_number.fetch_add(count, Ordering::SeqCst);
                let own: Vec<_> = (first..first + count).collect();
                let is_v2 = random.one_in(2);
                let result = client.write(points(first..first + count)).use_v2_api(is_v2).send();
                if let Err(error) = result {
                    tell_error(&program.tale, &own, &error);
                    let known = [
                        ErrorKind::BufferFull,
                        ErrorKind::Closed,
                        ErrorKind::Connect,
                        ErrorKind::PartialWrite,
                        ErrorKind::RateLimited,
                        ErrorKind::Rejected,
                        ErrorKind::Server,
                        ErrorKind::Timeout,
                        ErrorKind::TooLarge,
                        ErrorKind::Unauthorized,
                    ];
                    assert!(known.contains(&error.kind()), "{} {error:?}", program.seed);
                }
            }
        }
    }
}

#[test]
fn every_accepted_line_ends_in_exactly_one_way() {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let alone = number("MODEL_SEED");
    let runs = alone.map_or_else(|| number("MODEL_RUNS").unwrap_or(2000), |_| 1);
    let next = AtomicU64::new(alone.unwrap_or(0));
    let end = next.load(Ordering::SeqCst) + runs;
    thread::scope(|scope| {
        for _ in 0..4.min(runs) {
            scope.spawn(|| {
                let worlds = Worlds::default();
                let shared = ThreadPoolScheduler::new(1);
                let mut seed = next.fetch_add(1, Ordering::SeqCst);
                while seed < end {
                    // A server keeps what it was sent, so it is not kept for all of them.
                    let server = Server::start({
                        let worlds = worlds.clone();
                        move |_, request| {
                            let database =
                                request.path.split(['=', '&']).nth(1).unwrap_or_default();
                            match worlds.lock().unwrap().get_mut(database) {
                                Some(world) => answer(world, request),
                                None => Reply::Close,
                            }
                        }
                    });
                    for _ in 0..20 {
                        if seed >= end {
                            break;
                        }
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
