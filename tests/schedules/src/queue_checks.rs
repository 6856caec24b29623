//! Worker slots: there is never something to send without somebody who comes for it, and never more workers than may
//! be.

use std::time::Instant;

use shuttle::thread;

use super::channel::Channel;
use super::sharded_queue::{ShardedQueue, Waiting};
use super::worker_slots::{WorkerSlot, WorkerSlots};
use super::{explore, finds_fault};
use crate::write::primitives::{Arc, AtomicUsize, Mutex, Ordering};

#[derive(Debug)]
pub struct Batch {
    pub number: usize,
    pub shard: usize,
}

impl Waiting for Batch {
    fn not_before(&self) -> Option<Instant> {
        None
    }

    fn end_wait(&mut self) {}

    fn shard(&self) -> usize {
        self.shard
    }
}

/// What is wrong with a worker.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// It does not look once more when it has given its slot back.
    LooksOnce,
    /// It gives its slot back as one too many, and nobody else has one.
    LeavesAsLast,
}

/// The send queue of a client and its workers, put together as in the library.
struct ClientQueue {
    inbox: Channel<Batch>,
    queue: Mutex<ShardedQueue<Batch>>,
    slots: Arc<WorkerSlots>,
    ready: Channel<Option<WorkerSlot>>,
    /// Shards and numbers.
    sent: Mutex<Vec<(usize, usize)>>,
    at_work: AtomicUsize,
}

impl ClientQueue {
    fn call(&self) {
        if let Some(slot) = self.slots.claim() {
            self.ready.send(Some(slot));
        }
    }

    fn has_work(&self) -> bool {
        let queue = self.queue.lock().unwrap();
        let now = Instant::now();
        (!self.inbox.is_empty() && !queue.is_held_up(now)) || queue.is_due(now)
    }

    /// What a worker does with a slot. Each batch fails once, and is put back before all others.
    fn work(&self, slot: WorkerSlot, fault: Option<Fault>) {
        if fault == Some(Fault::LeavesAsLast) && !self.slots.is_one_left() {
            return;
        }
        let Some(slot) = slot.keep() else { return };
        let now = Instant::now();
        let at_work = self.at_work.fetch_add(1, Ordering::SeqCst) + 1;
        assert!(at_work <= self.slots.width(), "{at_work} workers");
        let mut queue = self.queue.lock().unwrap();
        let next = queue.take(now, || self.inbox.try_recv(), |_, next| Err(next));
        let sent = next.map(|batch| queue.send(batch));
        drop(queue);
        if let Some(sent) = sent {
            let mut queue = self.queue.lock().unwrap();
            let Batch { number, shard } = queue.arrive(sent).unwrap();
            if number % 10 == 0 {
                // It fails, and is to be tried again.
                queue.put_back(Batch { number: number + 1, shard });
            } else {
                // Told before the next one of its shard can be sent.
                self.sent.lock().unwrap().push((shard, number / 10));
            }
        }
        self.at_work.fetch_sub(1, Ordering::SeqCst);
        if self.has_work() {
            return self.ready.send(Some(slot));
        }
        drop(slot);
        if fault != Some(Fault::LooksOnce) && self.has_work() {
            self.call();
        }
    }
}

const BATCHES: usize = 3;

/// How a queue keeps the order.
#[derive(Clone, Copy)]
enum Order {
    None,
    OfShards(usize),
    /// None, though one is asked for: the fault.
    Lost,
}

/// If it `changes`, fewer workers are allowed for a while, and then as many again.
fn queue(width: usize, order: Order, changes: bool, fault: Option<Fault>) {
    let queue = Arc::new(ClientQueue {
        inbox: Channel::new(),
        queue: Mutex::new(match order {
            Order::None | Order::Lost => ShardedQueue::loose(),
            Order::OfShards(shards) => ShardedQueue::strict(shards),
        }),
        slots: WorkerSlots::new(width),
        ready: Channel::new(),
        sent: Mutex::new(Vec::new()),
        at_work: AtomicUsize::new(0),
    });
    let workers: Vec<_> = (0..width)
        .map(|_| {
            let queue = queue.clone();
            thread::spawn(move || {
                while let Some(slot) = queue.ready.recv() {
                    queue.work(slot, fault);
                    if queue.sent.lock().unwrap().len() == BATCHES {
                        // All is sent: the workers may go.
                        queue.ready.send(None);
                    }
                }
                queue.ready.send(None);
            })
        })
        .collect();
    let producer = {
        let queue = queue.clone();
        thread::spawn(move || {
            for number in 0..BATCHES {
                let shard = match order {
                    Order::None | Order::Lost => 0,
                    Order::OfShards(shards) => number % shards,
                };
                queue.inbox.send(Batch { number: 10 * number, shard });
                queue.call();
            }
        })
    };
    let changing = changes.then(|| {
        let queue = queue.clone();
        thread::spawn(move || {
            queue.slots.allow(1);
            thread::yield_now();
            queue.slots.allow(width);
            if queue.has_work() {
                queue.call();
            }
        })
    });
    producer.join().unwrap();
    if let Some(changing) = changing {
        changing.join().unwrap();
    }
    // If a wake-up is lost, this never ends, and the checker says so.
    for worker in workers {
        worker.join().unwrap();
    }
    let sent = queue.sent.lock().unwrap().clone();
    let shards = match order {
        Order::None => None,
        Order::OfShards(shards) => Some(shards),
        Order::Lost => Some(1),
    };
    if let Some(shards) = shards {
        for shard in 0..shards {
            let own: Vec<_> = sent.iter().filter(|sent| sent.0 == shard).collect();
            assert!(own.is_sorted(), "shard {shard}: {own:?}");
        }
    }
    let mut numbers: Vec<_> = sent.iter().map(|sent| sent.1).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..BATCHES).collect::<Vec<_>>());
}

#[test]
fn everything_is_sent_in_order_by_one_worker() {
    explore("queue of one", || queue(1, Order::OfShards(1), false, None));
}

#[test]
fn everything_is_sent_by_two_workers() {
    explore("queue of two", || queue(2, Order::None, false, None));
}

#[test]
fn everything_is_sent_by_two_workers_in_the_order_of_its_shard() {
    explore("queue of two shards", || queue(2, Order::OfShards(2), false, None));
}

#[test]
fn everything_is_sent_while_fewer_workers_are_allowed() {
    explore("queue of two, one for a while", || queue(2, Order::None, true, None));
    explore("queue of two shards, one worker for a while", || {
        queue(2, Order::OfShards(2), true, None)
    });
}

#[test]
fn an_order_that_is_lost_is_found() {
    assert!(finds_fault(|| queue(2, Order::Lost, false, None)));
}

#[test]
fn a_worker_that_does_not_look_again_is_found() {
    assert!(finds_fault(|| queue(1, Order::OfShards(1), false, Some(Fault::LooksOnce))));
}

#[test]
fn a_worker_that_leaves_though_it_is_the_last_is_found() {
    assert!(finds_fault(|| queue(2, Order::None, true, Some(Fault::LeavesAsLast))));
}
