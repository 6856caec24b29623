//! Closing: whatever is on the way ends once, by the worker or by whoever closes the client.

use shuttle::thread;

use super::channel::Channel;
use super::queue_checks::Batch;
use super::sharded_queue::ShardedQueue;
use super::{explore, finds_fault};
use crate::write::primitives::{Arc, AtomicUsize, Mutex, Ordering};

const BATCHES: usize = 3;

/// A worker sends batches while the client is closed without waiting. `takes_anyway` is the fault: the worker ends
/// what it has sent without asking the queue whether that is its still.
fn close(takes_anyway: bool) {
    let inbox = Channel::new();
    (0..BATCHES).for_each(|number| inbox.send(Batch { number, shard: 0 }));
    let queue = Arc::new(Mutex::new(ShardedQueue::strict(1)));
    let ends: Arc<Vec<AtomicUsize>> = Arc::new((0..BATCHES).map(|_| AtomicUsize::new(0)).collect());
    let end = |ends: &Vec<AtomicUsize>, number: usize| ends[number].fetch_add(1, Ordering::SeqCst);
    let worker = {
        let (inbox, queue, ends) = (inbox.clone(), queue.clone(), ends.clone());
        thread::spawn(move || {
            loop {
                let now = std::time::Instant::now();
                let sent = {
                    let mut queue = queue.lock().unwrap();
                    let next = queue.take(now, || inbox.try_recv(), |_, next| Err(next));
                    next.map(|batch| (batch.number, queue.send(batch)))
                };
                let Some((batch, number)) = sent else { return };
                // The request is on the way here.
                thread::yield_now();
                let arrived = queue.lock().unwrap().arrive(number);
                if arrived.is_some() || takes_anyway {
                    end(&ends, batch);
                }
            }
        })
    };
    let (waiting, under_way) = {
        let mut queue = queue.lock().unwrap();
        queue.receive_all(|| inbox.try_recv());
        queue.take_all()
    };
    for Batch { number, .. } in waiting.into_iter().chain(under_way) {
        end(&ends, number);
    }
    worker.join().unwrap();
    let ends: Vec<_> = ends.iter().map(|ends| ends.load(Ordering::SeqCst)).collect();
    assert_eq!(ends, [1; BATCHES], "how many times each batch ended");
}

#[test]
fn each_batch_ends_once_though_the_client_is_closed_meanwhile() {
    explore("close", || close(false));
}

#[test]
fn an_end_that_comes_twice_is_found() {
    assert!(finds_fault(|| close(true)));
}
