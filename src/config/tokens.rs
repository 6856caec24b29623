use std::sync::Arc;
use std::time::Duration;

use super::issued_token::IssuedToken;
use super::{Headers, Token, TokenSource};
use crate::{Error, ErrorKind, Result};

/// Where requests of a client get their token.
#[derive(Clone, Debug)]
pub(crate) enum Tokens {
    /// Requests have no token.
    None,
    Fixed(IssuedToken),
    From(Arc<TokenSource>),
}

/// The token of one call, which is replaced when a server refuses it.
#[derive(Debug)]
pub(crate) struct CallToken {
    tokens: Tokens,
    current: Option<IssuedToken>,
    renewals: u32,
}

impl Tokens {
    pub(crate) fn fixed(token: Token) -> Self {
        Self::Fixed(IssuedToken::new(token))
    }

    /// The token, if it is fixed: no source is asked.
    #[cfg(feature = "_fuzzing")]
    pub(crate) fn kept(&self) -> Option<&Token> {
        match self {
            Self::Fixed(issued) => Some(issued.token()),
            Self::None | Self::From(_) => None,
        }
    }

    /// The token to send. Waits at most `time` for a source.
    fn get(&self, time: Duration) -> Result<Option<IssuedToken>> {
        match self {
            Self::None => Ok(None),
            Self::Fixed(issued) => Ok(Some(issued.clone())),
            Self::From(source) => source.get(time).map(Some),
        }
    }

    /// Another token in place of one that a server refused; none if there is no other. Waits at most `time`.
    fn renew(&self, refused: &IssuedToken, time: Duration) -> Result<Option<IssuedToken>> {
        match self {
            Self::None | Self::Fixed(_) => Ok(None),
            Self::From(source) => source.renew(refused, time),
        }
    }
}

impl CallToken {
    /// For a call with these headers, the client's among them: with an `authorization` of their own there is no token.
    pub(crate) fn new(tokens: &Tokens, headers: &Headers) -> Self {
        let tokens = if headers.contains("authorization") { Tokens::None } else { tokens.clone() };
        Self { tokens, current: None, renewals: 0 }
    }

    /// The token to send. The first call waits at most `time` for a source; later ones return the same token.
    ///
    /// # Errors
    /// The source has no token. Nothing was sent.
    pub(crate) fn get(&mut self, time: Duration) -> Result<Option<&IssuedToken>> {
        if self.current.is_none() {
            self.current = self.tokens.get(time)?;
        }
        Ok(self.current.as_ref())
    }

    /// The token that was sent last.
    pub(crate) fn sent(&self) -> Option<&Token> {
        self.current.as_ref().map(IssuedToken::token)
    }

    /// Notes that a server accepted the token.
    pub(crate) fn accepted(&self) {
        if let Some(issued) = &self.current {
            issued.set_accepted();
        }
    }

    /// Gets another token if the error is about the token. `Ok` means: try again with the new token.
    ///
    /// That is so after a 401, after PERMISSION_DENIED, which Flight also answers for expired tokens, and after a 403
    /// if the token was accepted before. A token that was never accepted is replaced once per call. One that was
    /// accepted before has expired, and its successor may expire before this call is sent: it is replaced up to
    /// [`MOST_RENEWALS`] times.
    ///
    /// # Errors
    /// `error` itself if another token does not help, or the source's error if it has none.
    pub(crate) fn renew(&mut self, error: Error, time: Duration) -> Result<()> {
        let Some(refused) = &self.current else { return Err(error) };
        let has_expired = refused.was_accepted();
        let is_worth_it = self.renewals == 0 || has_expired && self.renewals < MOST_RENEWALS;
        if !refuses_token(&error, has_expired) || !is_worth_it || time.is_zero() {
            return Err(error);
        }
        match self.tokens.renew(refused, time) {
            Ok(Some(other)) => {
                log::debug!("the server refused the token: another one is used ({error})");
                self.renewals += 1;
                self.current = Some(other);
                Ok(())
            }
            Ok(None) => Err(error),
            Err(failure) => Err(failure.in_context("the server refused the token")),
        }
    }
}

/// How often one call may fetch a new token.
const MOST_RENEWALS: u32 = 8;

/// Whether another token may help.
fn refuses_token(error: &Error, was_accepted: bool) -> bool {
    const PERMISSION_DENIED: i32 = 7;
    const UNAUTHENTICATED: i32 = 16;
    if error.kind() != ErrorKind::Unauthorized {
        return false;
    }
    match (error.status(), error.grpc_status()) {
        (Some(401), _) | (_, Some(UNAUTHENTICATED | PERMISSION_DENIED)) => true,
        (Some(403), _) => was_accepted,
        _ => false,
    }
}
