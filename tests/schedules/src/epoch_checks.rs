//! Epochs: a flush returns when everything that was accepted before it has ended, and not before.

use shuttle::thread;

use super::channel::Channel;
use super::epoch::{Epoch, Member};
use super::{explore, finds_fault};
use crate::write::primitives::{Arc, AtomicUsize, Mutex, Ordering};

/// Two producers write and flush, a worker ends what they write. `member_of` says which member a batch gets.
fn flushes(takes_member_late: bool) {
    let state = Arc::new(Mutex::new(Epoch::start(1)));
    let sealed: Channel<Option<(Option<Member>, usize)>> = Channel::new();
    let ended = Arc::new(Mutex::new(Vec::new()));
    let worker = {
        let (sealed, ended) = (sealed.clone(), ended.clone());
        thread::spawn(move || {
            while let Some((member, number)) = sealed.recv() {
                ended.lock().unwrap().push(number);
                drop(member);
            }
        })
    };
    let next = Arc::new(AtomicUsize::new(0));
    let producers: Vec<_> = (0..2)
        .map(|_| {
            let (state, sealed) = (state.clone(), sealed.clone());
            let (ended, next) = (ended.clone(), next.clone());
            thread::spawn(move || {
                for _ in 0..2 {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if takes_member_late {
                        // The fault: the batch is on its way before it is a member.
                        sealed.send(Some((None, number)));
                        drop(state.lock().unwrap().clone());
                    } else {
                        let state = state.lock().unwrap();
                        sealed.send(Some((Some(state.clone()), number)));
                    }
                    let member = state.lock().unwrap().turn_over();
                    let epoch = member.epoch().clone();
                    drop(member);
                    epoch.wait();
                    assert!(ended.lock().unwrap().contains(&number), "{number} was missed");
                }
            })
        })
        .collect();
    for producer in producers {
        producer.join().unwrap();
    }
    sealed.send(None);
    worker.join().unwrap();
}

#[test]
fn a_flush_waits_for_everything_before_it() {
    explore("epoch", || flushes(false));
}

#[test]
fn a_flush_that_misses_a_batch_is_found() {
    assert!(finds_fault(|| flushes(true)));
}
