//! The threads that send batches, and how clients have them come.
//!
//! A `ThreadPoolScheduler` is a handle of some threads. A client that batches is a `WorkSource` with a
//! `Registration`: by that it has a thread come at once, with a `WorkerSlot`, which limits how many work for one
//! client at a time, or at some time. What a worker runs that is not ours, such as callbacks, it runs by `call_back`,
//! so that it is known whom it holds up.

mod callback_scope;
mod thread_pool;
mod threads;
mod worker_slots;

pub(crate) use callback_scope::{call_back, is_in_callback};
pub(crate) use thread_pool::Registration;
pub use thread_pool::ThreadPoolScheduler;
pub(crate) use threads::WorkSource;
pub(crate) use worker_slots::{WorkerSlot, WorkerSlots};
