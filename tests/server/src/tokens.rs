//! Who may talk to the server.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::uuid::Uuid;

/// The tokens that the server knows. Without any, everybody may do everything.
#[derive(Debug)]
pub(crate) struct Tokens(Mutex<Vec<Token>>);

#[derive(Debug)]
struct Token {
    text: String,
    /// When it expires, if it does.
    until: Option<Instant>,
}

/// What a token is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Granted,
    /// Missing or unknown.
    Unknown,
    Expired,
}

impl Tokens {
    /// `text` never expires.
    pub(crate) fn new(text: Option<String>) -> Tokens {
        Tokens(Mutex::new(text.map(|text| Token { text, until: None }).into_iter().collect()))
    }

    /// One more, which expires.
    pub(crate) fn issue(&self, lifetime: Duration) -> String {
        let text = format!("apiv3_{}{}", Uuid::v4(), Uuid::v4()).replace('-', "");
        let until = Instant::now() + lifetime.min(LONGEST);
        self.lock().push(Token { text: text.clone(), until: Some(until) });
        text
    }

    /// Those that expire have done so.
    pub(crate) fn expire(&self) {
        let now = Instant::now();
        for until in self.lock().iter_mut().filter_map(|token| token.until.as_mut()) {
            *until = (*until).min(now);
        }
    }

    pub(crate) fn access(&self, token: Option<&str>) -> Access {
        let tokens = self.lock();
        if tokens.is_empty() {
            return Access::Granted;
        }
        match tokens.iter().find(|known| Some(&*known.text) == token) {
            None => Access::Unknown,
            Some(known) if known.until.is_some_and(|until| until <= Instant::now()) => {
                Access::Expired
            }
            Some(_) => Access::Granted,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Token>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A century, which is added to a moment without an overflow.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_unknown_good_or_expired() {
        let open = Tokens::new(None);
        assert_eq!(open.access(None), Access::Granted);
        assert_eq!(open.access(Some("x")), Access::Granted);
        let closed = Tokens::new(Some("root".into()));
        let (first, second) = (closed.issue(Duration::MAX), closed.issue(Duration::from_secs(900)));
        assert_ne!(first, second);
        for good in ["root", &first, &second] {
            assert_eq!(closed.access(Some(good)), Access::Granted);
        }
        assert_eq!(closed.access(None), Access::Unknown);
        closed.expire();
        assert_eq!(closed.access(Some("root")), Access::Granted);
        assert_eq!(closed.access(Some(&second)), Access::Expired);
        assert_eq!(closed.access(Some(&closed.issue(Duration::ZERO))), Access::Expired);
    }
}
