//! Who may work on a lane: at most as many threads as it is wide.

use super::primitives::{Arc, AtomicUsize, Ordering};

/// The tokens of one lane.
///
/// Whoever puts something into the lane claims a token afterwards, and has a thread come with it. Whoever finds nothing to
/// do drops its token and then looks once more, as something may have come in between, for which no token was left. So
/// there is never something to do without a token, or without somebody who is about to look.
#[derive(Debug)]
pub(super) struct Tokens {
    width: usize,
    out: AtomicUsize,
}

/// The right to work on a lane, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Token {
    tokens: Arc<Tokens>,
}

impl Tokens {
    pub(super) fn new(width: usize) -> Arc<Self> {
        Arc::new(Self { width, out: AtomicUsize::new(0) })
    }

    /// A token, if one is left.
    pub(super) fn claim(self: &Arc<Self>) -> Option<Token> {
        let add = |out: usize| (out < self.width).then_some(out + 1);
        self.out.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add).ok()?;
        Some(Token { tokens: self.clone() })
    }

    pub(super) fn is_one_left(&self) -> bool {
        self.out.load(Ordering::SeqCst) < self.width
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.tokens.out.fetch_sub(1, Ordering::SeqCst);
    }
}
