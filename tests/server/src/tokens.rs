//! Who may talk to the server.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{DevServer, uuid::Uuid};

/// The tokens that the server knows. Without any, requests need no token.
#[derive(Debug)]
pub(crate) struct Tokens(Mutex<Vec<Token>>);

#[derive(Debug)]
struct Token {
    text: String,
    /// When it expires, if it does.
    until: Option<Instant>,
    /// How many requests it is good for, if they are counted.
    left: Option<usize>,
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
        Tokens(Mutex::new(text.map(Token::new).into_iter().collect()))
    }

    /// What a request with this token is allowed, which uses the token once.
    pub(crate) fn access(&self, token: Option<&str>) -> Access {
        let mut tokens = self.lock();
        if tokens.is_empty() {
            return Access::Granted;
        }
        let Some(known) = tokens.iter_mut().find(|known| Some(&*known.text) == token) else {
            return Access::Unknown;
        };
        if known.left == Some(0) || known.until.is_some_and(|until| until <= Instant::now()) {
            return Access::Expired;
        }
        known.left = known.left.map(|left| left - 1);
        Access::Granted
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Token>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    fn new(text: String) -> Token {
        Token { text, until: None, left: None }
    }

    fn random() -> Token {
        Token::new(format!("apiv3_{}{}", Uuid::v4(), Uuid::v4()).replace('-', ""))
    }
}

impl DevServer {
    /// Replaces all known tokens by this one.
    pub fn set_token(&self, token: impl Into<String>) {
        *self.tokens().lock() = vec![Token::new(token.into())];
    }

    /// A new token, which replaces all known ones and expires after this many requests: it stands for a token that
    /// lives for a short time, without depending on a clock.
    ///
    /// One that has expired is answered with 401 over HTTP, as one that is unknown, and with PERMISSION_DENIED over Flight.
    ///
    /// ```
    /// use influxdb3_dev_server::DevServer;
    ///
    /// let server = DevServer::start()?;
    /// let token = server.issue_token(100);
    /// // … a client that has this token gets 100 answers, and then 401 …
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn issue_token(&self, requests: usize) -> String {
        let token = Token { left: Some(requests), ..Token::random() };
        let text = token.text.clone();
        *self.tokens().lock() = vec![token];
        text
    }

    /// One more token, which the server takes until its lifetime is over; from the first one on it asks every request for a
    /// token.
    ///
    /// ```
    /// use std::time::Duration;
    /// use influxdb3_dev_server::DevServer;
    ///
    /// let server = DevServer::start()?;
    /// let token = server.issue_token_for(Duration::from_secs(3600));
    /// // … the client under test writes with it …
    /// server.expire_tokens();
    /// // … and has to ask for another one …
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn issue_token_for(&self, lifetime: Duration) -> String {
        let until = Instant::now() + lifetime.min(LONGEST);
        let token = Token { until: Some(until), ..Token::random() };
        let text = token.text.clone();
        self.tokens().lock().push(token);
        text
    }

    /// The lifetime of all tokens that were issued is over.
    pub fn expire_tokens(&self) {
        let now = Instant::now();
        for token in self.tokens().lock().iter_mut() {
            token.until = token.until.map(|until| until.min(now));
            token.left = token.left.map(|_| 0);
        }
    }
}

/// A century, which is added to a moment without an overflow.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_unknown_good_or_expired() {
        let server = DevServer::start().unwrap();
        let access = |token: &str| server.tokens().access(Some(token));
        assert_eq!((server.tokens().access(None), access("x")), (Access::Granted, Access::Granted));
        server.set_token("root");
        let first = server.issue_token_for(Duration::MAX);
        let second = server.issue_token_for(Duration::from_secs(900));
        assert_ne!(first, second);
        for good in ["root", &first, &second] {
            assert_eq!(access(good), Access::Granted);
        }
        assert_eq!((server.tokens().access(None), access("x")), (Access::Unknown, Access::Unknown));
        server.expire_tokens();
        assert_eq!((access("root"), access(&second)), (Access::Granted, Access::Expired));
        assert_eq!(access(&server.issue_token_for(Duration::ZERO)), Access::Expired);
    }

    #[test]
    fn a_token_that_is_counted_expires_by_use_and_replaces_those_before() {
        let server = DevServer::builder().token("first").start().unwrap();
        let access = |token: &str| server.tokens().access(Some(token));
        let token = server.issue_token(2);
        assert_eq!(access("first"), Access::Unknown);
        let uses = [(); 3].map(|()| access(&token));
        assert_eq!(uses, [Access::Granted, Access::Granted, Access::Expired]);
        server.set_token("third");
        assert_eq!((access("third"), access(&token)), (Access::Granted, Access::Unknown));
    }
}
