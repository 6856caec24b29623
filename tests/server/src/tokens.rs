//! The token that is known, which may be good for a number of requests only.

use std::sync::{Mutex, PoisonError};

use crate::DevServer;

/// Who may do something.
#[derive(Debug)]
pub(crate) struct Tokens(Mutex<Known>);

#[derive(Debug)]
struct Known {
    /// Without one, everybody may do everything.
    token: Option<String>,
    /// How many requests it is good for.
    left: Option<usize>,
    issued: usize,
}

impl Tokens {
    pub(crate) fn new(token: Option<String>) -> Self {
        Self(Mutex::new(Known { token, left: None, issued: 0 }))
    }

    /// Whether a request with this token is carried out, which uses it once.
    pub(crate) fn allow(&self, token: Option<&str>) -> bool {
        self.with(|known| {
            if known.token.is_none() {
                return true;
            }
            if known.token.as_deref() != token || known.left == Some(0) {
                return false;
            }
            known.left = known.left.map(|left| left - 1);
            true
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl DevServer {
    /// From now on this is the only token that is known, as if the one before had been replaced.
    pub fn set_token(&self, token: impl Into<String>) {
        self.tokens().with(|known| {
            known.token = Some(token.into());
            known.left = None;
        });
    }

    /// A new token, from now on the only one that is known, and good for so many requests: then it has expired, and is
    /// refused as one that is not known. It stands for one that lives for a short time.
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
        self.tokens().with(|known| {
            known.issued += 1;
            let token = format!("issued-token-number-{}", known.issued);
            (known.token, known.left) = (Some(token.clone()), Some(requests));
            token
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issued_token_expires_by_use_and_replaces_the_one_before() {
        let server = DevServer::builder().token("first").start().unwrap();
        let tokens = server.tokens();
        assert!(tokens.allow(Some("first")) && !tokens.allow(None));
        let token = server.issue_token(2);
        assert!(!tokens.allow(Some("first")));
        assert_eq!([(); 3].map(|()| tokens.allow(Some(&token))), [true, true, false]);
        server.set_token("third");
        assert!(tokens.allow(Some("third")) && !tokens.allow(Some(&token)));
    }
}
