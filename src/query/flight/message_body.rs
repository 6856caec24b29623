//! The bodies of messages, and memory for them.

use std::fmt;
use std::sync::{Arc, Mutex, Weak};

use arrow_buffer::{Buffer, MutableBuffer};

/// The memory of the bodies of one stream: that of a body which was dropped is used for the next one of about its length.
///
/// If it were freed, allocators would give memory of this size back to the system, and the next body would get it page by
/// page: that takes longer than to copy a body into it.
#[derive(Default)]
pub(crate) struct BodyMemory(Arc<Idle>);

type Idle = Mutex<Vec<MutableBuffer>>;

/// From this length on, memory is used again.
const LARGE: usize = 1 << 20;
/// How many pieces of memory are kept: one for the body that is received, one for the body that a reader drops
/// meanwhile.
const MOST_IDLE: usize = 2;

impl BodyMemory {
    /// Memory for a body of this length, aligned for every type.
    pub(crate) fn take(&self, length: usize) -> MessageBody {
        if length < LARGE {
            return MessageBody {
                memory: MutableBuffer::with_capacity(length),
                origin: Weak::new(),
            };
        }
        // Not much longer than the body: a batch that the caller keeps keeps the whole piece.
        let fits =
            |memory: &MutableBuffer| (length..=length + length / 4).contains(&memory.capacity());
        let found = self.0.lock().ok().and_then(|mut idle| {
            let place = idle.iter().position(fits)?;
            Some(idle.swap_remove(place))
        });
        let memory = found.unwrap_or_else(|| MutableBuffer::with_capacity(length));
        MessageBody { memory, origin: Arc::downgrade(&self.0) }
    }
}

/// The body of a message. When it is dropped, its memory goes back to the [`BodyMemory`] that it is from.
pub(crate) struct MessageBody {
    memory: MutableBuffer,
    /// Dangling for a body that is too short, and once the stream has ended.
    origin: Weak<Idle>,
}

impl MessageBody {
    pub(crate) fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.memory.extend_from_slice(bytes);
    }
}

impl AsRef<[u8]> for MessageBody {
    fn as_ref(&self) -> &[u8] {
        &self.memory
    }
}

impl Drop for MessageBody {
    fn drop(&mut self) {
        let Some(idle) = self.origin.upgrade() else { return };
        // Not `lock`: batches may be dropped in a forked child, where the lock stays taken if another thread had it.
        let Ok(mut idle) = idle.try_lock() else { return };
        let mut memory = std::mem::take(&mut self.memory);
        memory.clear();
        if idle.len() == MOST_IDLE {
            idle.remove(0);
        }
        idle.push(memory);
    }
}

impl From<MessageBody> for Buffer {
    fn from(mut body: MessageBody) -> Self {
        if body.origin.strong_count() == 0 {
            return std::mem::take(&mut body.memory).into();
        }
        bytes::Bytes::from_owner(body).into()
    }
}

impl fmt::Debug for MessageBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageBody").field("length", &self.memory.len()).finish_non_exhaustive()
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
