//! A channel of the checker's primitives, in place of crossbeam's.

use std::collections::VecDeque;

use crate::write::primitives::{Arc, Condvar, Mutex};

/// Unbounded, with any number of senders and receivers.
pub struct Channel<T>(Arc<(Mutex<VecDeque<T>>, Condvar)>);

impl<T> Channel<T> {
    pub fn new() -> Self {
        Self(Arc::new((Mutex::new(VecDeque::new()), Condvar::new())))
    }

    pub fn send(&self, value: T) {
        self.0.0.lock().unwrap().push_back(value);
        self.0.1.notify_one();
    }

    pub fn try_recv(&self) -> Option<T> {
        self.0.0.lock().unwrap().pop_front()
    }

    pub fn recv(&self) -> T {
        let mut queue = self.0.0.lock().unwrap();
        loop {
            match queue.pop_front() {
                Some(value) => return value,
                None => queue = self.0.1.wait(queue).unwrap(),
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.0.lock().unwrap().is_empty()
    }
}

impl<T> Clone for Channel<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
