//! What the hand-over protocols of this room are made of. `tests/schedules` compiles the same files against the
//! primitives of a model checker.

pub(crate) use std::sync::atomic::{AtomicUsize, Ordering};
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
