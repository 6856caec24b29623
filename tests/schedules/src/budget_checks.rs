//! The budget: whoever waits for bytes gets them, in turn, and there are never more than there are.

use shuttle::thread;

use super::budget::{Budget, Permit};
use super::{explore, finds_fault};
use crate::write::primitives::{Arc, AtomicUsize, Ordering};

const LIMIT: usize = 10;

/// Threads that want so many bytes each, twice, and hold them for a while.
fn holders(let_go: fn(Permit)) {
    let budget = Budget::new(LIMIT);
    let held = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = [4, 7, 10, 3]
        .into_iter()
        .map(|bytes| {
            let (budget, held) = (budget.clone(), held.clone());
            thread::spawn(move || {
                for _ in 0..2 {
                    let never = || Ok::<(), ()>(());
                    let permit = budget.acquire(bytes, None, never).unwrap();
                    let now = held.fetch_add(bytes, Ordering::SeqCst) + bytes;
                    assert!(now <= LIMIT, "{now} bytes are held");
                    held.fetch_sub(bytes, Ordering::SeqCst);
                    let_go(permit);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(budget.used(), 0);
}

#[test]
fn whoever_waits_for_bytes_gets_them() {
    explore("budget", || holders(drop));
}

#[test]
fn bytes_that_are_never_given_back_are_found() {
    assert!(finds_fault(|| holders(std::mem::forget)));
}

/// One thread has all bytes and gives them back piece by piece; others take what is free meanwhile, without waiting.
#[test]
fn pieces_that_are_given_back_wake_whoever_waits_for_all() {
    explore("pieces", || {
        let budget = Budget::new(LIMIT);
        let mut all = budget.try_acquire(LIMIT).unwrap();
        let waiting = {
            let budget = budget.clone();
            thread::spawn(move || drop(budget.acquire(LIMIT, None, || Ok::<(), ()>(())).unwrap()))
        };
        let trying = {
            let budget = budget.clone();
            thread::spawn(move || (0..3).for_each(|_| drop(budget.try_acquire(2))))
        };
        while all.bytes() > 0 {
            drop(all.split(3));
        }
        waiting.join().unwrap();
        trying.join().unwrap();
        assert_eq!(budget.used(), 0);
    });
}

/// A call that waits has a reason to stop, which comes up while nothing is given back.
fn stopped(wakes: bool) {
    let budget = Budget::new(LIMIT);
    let all = budget.try_acquire(LIMIT).unwrap();
    let is_closed = Arc::new(AtomicUsize::new(0));
    let waiting = {
        let (budget, is_closed) = (budget.clone(), is_closed.clone());
        thread::spawn(move || {
            let stop = || if is_closed.load(Ordering::SeqCst) == 0 { Ok(()) } else { Err(()) };
            assert!(budget.acquire(1, None, stop).is_err());
        })
    };
    is_closed.store(1, Ordering::SeqCst);
    if wakes {
        budget.wake_all();
    }
    waiting.join().unwrap();
    drop(all);
}

#[test]
fn whoever_waits_is_told_of_a_reason_to_stop() {
    explore("stop", || stopped(true));
}

#[test]
fn a_wake_up_that_is_lost_is_found() {
    assert!(finds_fault(|| stopped(false)));
}
