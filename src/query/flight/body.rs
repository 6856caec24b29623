//! Memory for the bodies of messages.

use std::fmt;
use std::sync::{Arc, Mutex, Weak};

use arrow_buffer::{Buffer, MutableBuffer};

/// Where the memory of bodies that were let go waits for the next one, as long as the stream lasts.
///
/// Memory of this size goes back to the system when it is freed, and comes back page by page: that takes longer than to
/// copy a body into it.
#[derive(Default)]
pub(crate) struct BodyMemory(Arc<Idle>);

type Idle = Mutex<Vec<MutableBuffer>>;

/// From here on memory is used again.
const LARGE: usize = 1 << 20;
/// So much may wait: what a reader goes through while the next message comes.
const MOST_IDLE: usize = 2;

impl BodyMemory {
    /// Memory for a body of this length, aligned for every type.
    pub(crate) fn take(&self, length: usize) -> Body {
        if length < LARGE {
            return Body { memory: MutableBuffer::with_capacity(length), origin: Weak::new() };
        }
        // A batch that is kept is not to keep much more than itself.
        let fits =
            |memory: &MutableBuffer| (length..=length + length / 4).contains(&memory.capacity());
        let found = self.0.lock().ok().and_then(|mut idle| {
            let place = idle.iter().position(fits)?;
            Some(idle.swap_remove(place))
        });
        let memory = found.unwrap_or_else(|| MutableBuffer::with_capacity(length));
        Body { memory, origin: Arc::downgrade(&self.0) }
    }
}

/// The body of a message. Its memory goes back to where it is from when it is dropped.
pub(crate) struct Body {
    memory: MutableBuffer,
    origin: Weak<Idle>,
}

impl Body {
    pub(crate) fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.memory.extend_from_slice(bytes);
    }
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        &self.memory
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let Some(idle) = self.origin.upgrade() else { return };
        // Batches are dropped on the caller's threads, also in a forked child, where the lock may be held for good.
        let Ok(mut idle) = idle.try_lock() else { return };
        let mut memory = std::mem::take(&mut self.memory);
        memory.clear();
        if idle.len() == MOST_IDLE {
            idle.remove(0);
        }
        idle.push(memory);
    }
}

impl From<Body> for Buffer {
    fn from(mut body: Body) -> Self {
        if body.origin.strong_count() == 0 {
            return std::mem::take(&mut body.memory).into();
        }
        bytes::Bytes::from_owner(body).into()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("length", &self.memory.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(memory: &BodyMemory, length: usize) -> Buffer {
        let mut body = memory.take(length);
        body.extend_from_slice(&vec![7; length]);
        body.into()
    }

    #[test]
    fn memory_that_was_let_go_is_used_again_and_only_then() {
        let memory = BodyMemory::default();
        let first = body(&memory, 2 * LARGE);
        let place = first.as_ptr();
        let second = body(&memory, 2 * LARGE);
        assert_ne!(second.as_ptr(), place);
        let part = first.slice(LARGE);
        drop(first);
        assert_ne!(body(&memory, 2 * LARGE).as_ptr(), place);
        drop(part);
        drop(second);
        let taken = [body(&memory, 2 * LARGE), body(&memory, 2 * LARGE)];
        assert!(taken.iter().any(|body| body.as_ptr() == place));
        assert!(taken.iter().all(|body| body.as_ptr().align_offset(64) == 0));
        assert!(taken.iter().all(|body| body.iter().all(|byte| *byte == 7)));
    }

    #[test]
    fn a_body_gets_no_memory_that_is_much_too_large_and_small_ones_have_their_own() {
        let memory = BodyMemory::default();
        drop(body(&memory, 4 * LARGE));
        assert!(body(&memory, 2 * LARGE).capacity() < 3 * LARGE);
        drop(body(&memory, 100));
        assert!(memory.0.lock().unwrap().iter().all(|memory| memory.capacity() >= LARGE));
    }

    #[test]
    fn what_waits_is_bounded_and_ends_with_the_stream() {
        let memory = BodyMemory::default();
        let bodies: Vec<_> = (0..5).map(|_| body(&memory, LARGE)).collect();
        let (kept, dropped) = bodies.split_at(1);
        assert_eq!(dropped.len(), 4);
        let kept = kept[0].clone();
        drop(bodies);
        assert_eq!(memory.0.lock().unwrap().len(), MOST_IDLE);
        let idle = Arc::downgrade(&memory.0);
        drop(memory);
        assert_eq!(idle.strong_count(), 0);
        assert!(kept.iter().all(|byte| *byte == 7));
    }
}
