use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Token;

/// A token, and whether a server has accepted it yet. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct IssuedToken(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    token: Token,
    was_accepted: AtomicBool,
}

impl IssuedToken {
    pub(super) fn new(token: Token) -> Self {
        Self(Arc::new(Inner { token, was_accepted: AtomicBool::new(false) }))
    }

    pub(crate) fn token(&self) -> &Token {
        &self.0.token
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn was_accepted(&self) -> bool {
        self.0.was_accepted.load(Ordering::Relaxed)
    }

    pub(super) fn set_accepted(&self) {
        if !self.was_accepted() {
            self.0.was_accepted.store(true, Ordering::Relaxed);
        }
    }
}
