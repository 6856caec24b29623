//! The hand-over protocols of batching under schedules that a model checker chooses: every operation on a lock, an
//! atomic or a condition is a place where another thread may go on.
//!
//! What is checked are the very files of the library, compiled against the primitives of `shuttle`. Each check comes
//! with the same program with one fault put in, which the checker has to find: a wake-up that is lost, an end that
//! comes twice, a flush that misses a batch. So it is known that the checker could fail.
#![forbid(unsafe_code)]
#![cfg(test)]
#![allow(dead_code, unreachable_pub)] // the files have more than the checks use

#[path = "../../../src/write/batching/accounting/budget.rs"]
mod budget;
#[path = "../../../src/write/batching/accounting/epoch.rs"]
mod epoch;
#[path = "../../../src/write/batching/send_queue/sharded_queue.rs"]
mod sharded_queue;
#[path = "../../../src/write/scheduler/worker_slots.rs"]
mod worker_slots;

mod write {
    /// In place of `src/write/primitives.rs`, from where the files have them.
    pub(crate) mod primitives {
        pub(crate) use shuttle::sync::atomic::{AtomicUsize, Ordering};
        pub(crate) use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard};
        pub(crate) use std::sync::PoisonError;
    }
}

mod budget_checks;
mod channel;
mod close_checks;
mod epoch_checks;
mod queue_checks;

/// Explores schedules of `program`, at random and by priorities, and prints how many.
fn explore(name: &str, program: fn()) {
    shuttle::check_random(program, SCHEDULES);
    shuttle::check_pct(program, SCHEDULES, 3);
    println!("{name}: {} schedules", 2 * SCHEDULES);
}

/// Whether the checker finds something wrong with `program`.
fn finds_fault(program: fn()) -> bool {
    let explore = || {
        shuttle::check_random(program, SCHEDULES);
        shuttle::check_pct(program, SCHEDULES, 3);
    };
    std::panic::catch_unwind(explore).is_err()
}

/// How many schedules of each kind a check explores. The faults that are put in are found in fewer.
const SCHEDULES: usize = 5000;
