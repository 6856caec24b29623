//! Who may work on a lane: at most as many threads as it is wide.

use super::primitives::{Arc, AtomicUsize, Ordering};

/// The tokens of one lane.
///
/// Whoever puts something into the lane claims a token afterwards, and has a thread come with it. Whoever finds nothing to
/// do drops its token and then looks once more, as something may have come in between, for which no token was left. So
/// there is never something to do without a token, or without somebody who is about to look.
///
/// For a while there may be [fewer](Self::allow) tokens than the lane is wide. Those that are too many then are
/// [given back](Token::keep) as their holders have done one thing; at least one is left, whose holder looks.
#[derive(Debug)]
pub(super) struct Tokens {
    width: usize,
    /// At least one, at most the width.
    allowed: AtomicUsize,
    out: AtomicUsize,
}

/// The right to work on a lane, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Token {
    /// None once it was given back.
    tokens: Option<Arc<Tokens>>,
}

impl Tokens {
    pub(super) fn new(width: usize) -> Arc<Self> {
        Arc::new(Self { width, allowed: AtomicUsize::new(width), out: AtomicUsize::new(0) })
    }

    /// A token, if one is left.
    pub(super) fn claim(self: &Arc<Self>) -> Option<Token> {
        let allowed = self.allowed.load(Ordering::SeqCst);
        let add = |out: usize| (out < allowed).then_some(out + 1);
        self.out.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add).ok()?;
        Some(Token { tokens: Some(self.clone()) })
    }

    pub(super) fn is_one_left(&self) -> bool {
        self.out.load(Ordering::SeqCst) < self.allowed.load(Ordering::SeqCst)
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// So many may be out from now on. If that is more than before, whoever says so has to look for something to do.
    pub(super) fn allow(&self, tokens: usize) {
        self.allowed.store(tokens.clamp(1, self.width.max(1)), Ordering::SeqCst);
    }
}

impl Token {
    /// The token again, unless it is one too many: then it is given back, and another one is out whose holder looks.
    pub(super) fn keep(mut self) -> Option<Self> {
        let tokens = self.tokens.take()?;
        let allowed = tokens.allowed.load(Ordering::SeqCst);
        let leave = |out: usize| (out > allowed).then(|| out - 1);
        let has_left = tokens.out.fetch_update(Ordering::SeqCst, Ordering::SeqCst, leave).is_ok();
        (!has_left).then(|| Self { tokens: Some(tokens) })
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        if let Some(tokens) = &self.tokens {
            tokens.out.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
