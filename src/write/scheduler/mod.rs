//! The threads that send batches, and how a client wakes one.
//!
//! A `ThreadPoolScheduler` is a handle of some threads. A client that batches is a `WorkSource` with a
//! `Registration`, by which it wakes a thread: at once, with a `WorkerSlot`, which limits how many threads work for one
//! client at a time, or at a given time. A worker runs the user's code, such as callbacks, by `call_back`, so that a
//! callback knows which client's worker it blocks.

mod callback_scope;
mod thread_pool;
mod threads;
mod worker_slots;

pub(crate) use callback_scope::{call_back, is_in_callback};
pub(crate) use thread_pool::Registration;
pub use thread_pool::ThreadPoolScheduler;
pub(crate) use threads::WorkSource;
pub(crate) use worker_slots::{WorkerSlot, WorkerSlots};
