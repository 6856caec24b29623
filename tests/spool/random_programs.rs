//! Random programs: whatever happens, every line ends in one way, and the counts say which.

use influxdb3_blocking::{SpoolSync, ThreadPoolScheduler};

use crate::fixtures::{Directory, sent, server};
use crate::random::Random;
use crate::support::batching::{assert_adds_up, client, options, points};
use crate::support::http::HANGS;

/// One program: several clients after each other, over a server that comes and goes.
fn run(seed: u64) {
    let mut random = Random::new(seed);
    let (server, switch) = server(random.pick(&[503, 401, 429]));
    let directory = Directory::new();
    let (is_always, is_fresh_first) = (random.one_in(2), random.one_in(3));
    let workers = random.pick(&[1, 1, 3]);
    let (mut next, mut ended) = (0, 0);
    for _ in 0..1 + random.below(4) {
        let spool = directory
            .spool()
            .always(is_always)
            .fresh_first(is_fresh_first)
            .sync(random.pick(&[SpoolSync::Never, SpoolSync::EveryBatch]));
        let options = options()
            .batch_size(1 + random.below(8))
            .merge_waiting(random.one_in(2))
            .max_retries(random.below(3) as u32)
            .buffer_limit(random.pick(&[4 << 10, 1 << 20]))
            .write_scheduler(ThreadPoolScheduler::new(workers))
            .spool(spool);
        let client = client(&server, options);
        let found = client.write_stats().spool.found.lines;
        for _ in 0..random.below(30) {
            match random.below(8) {
                0 => client.flush().unwrap(),
                1 => client.flush_to_disk().unwrap(),
                2 => switch.turn_on(),
                3 => switch.turn_off(),
                4 => assert_adds_up(&client),
                _ => {
                    let count = 1 + random.below(30) as i64;
                    client.write(points(next..next + count)).send().unwrap();
                    next += count;
                }
            }
        }
        client.close().unwrap();
        assert_adds_up(&client);
        let stats = client.write_stats();
        let spool = stats.spool;
        assert_eq!(stats.accepted.lines, stats.written.lines + stats.pending.lines, "{stats:?}");
        assert_eq!(found, spool.found_written.lines + spool.found_pending.lines, "{stats:?}");
        assert_eq!(
            spool.on_disk.lines,
            stats.pending.lines + spool.found_pending.lines,
            "{stats:?}"
        );
        assert_eq!((spool.damaged, spool.errors), (0, 0), "{stats:?}");
        ended += stats.written.lines + spool.found_written.lines;
    }
    let before = server.requests().len();
    switch.turn_on();
    let last = client(&server, options().spool(directory.spool()));
    let found = last.write_stats().spool.found.lines;
    last.drain(HANGS).unwrap();
    assert_eq!(last.write_stats().spool.found_written.lines, found);
    last.close().unwrap();
    assert_eq!(directory.names(), Vec::<String>::new());
    assert!(ended + found >= next as u64, "{ended} and {found} of {next}");
    let all = sent(&server, 0);
    let mut each = all.clone();
    each.sort_unstable();
    each.dedup();
    assert_eq!(each, (0..next).collect::<Vec<_>>(), "nothing is lost");
    if workers == 1 && !is_fresh_first {
        let left = &all[all.len() - sent(&server, before).len()..];
        assert!(left.is_sorted(), "the oldest first: {left:?}");
    }
}

#[test]
fn every_line_is_written_in_the_end_and_accounted_for_in_between() {
    let runs = std::env::var("MODEL_RUNS").ok().map_or(150, |runs| runs.parse().unwrap());
    for seed in 0..runs {
        let result = std::panic::catch_unwind(|| run(seed));
        if let Err(panic) = result {
            println!("the program of seed {seed} failed");
            std::panic::resume_unwind(panic);
        }
    }
    println!("seeds 0 to {runs}");
}
