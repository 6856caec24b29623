use std::sync::Arc;
use std::time::Duration;

use super::issued_token::IssuedToken;
use super::{Headers, Token, TokenSource};
use crate::{Error, ErrorKind, Result};

/// Where the requests of a client have their token from.
#[derive(Clone, Debug)]
pub(crate) enum Tokens {
    /// They carry none.
    None,
    Fixed(IssuedToken),
    From(Arc<TokenSource>),
}

/// The token of one call, and of its next try where a server refuses it.
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

    /// The token that there is without asking for one.
    #[cfg(feature = "_fuzzing")]
    pub(crate) fn kept(&self) -> Option<&Token> {
        match self {
            Self::Fixed(issued) => Some(issued.token()),
            Self::None | Self::From(_) => None,
        }
    }

    /// The token to send. Waits at most so long, if one has to be asked for.
    fn get(&self, time: Duration) -> Result<Option<IssuedToken>> {
        match self {
            Self::None => Ok(None),
            Self::Fixed(issued) => Ok(Some(issued.clone())),
            Self::From(source) => source.get(time).map(Some),
        }
    }

    /// Another token in place of one that a server has refused; none if there is no other.
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

    /// The token to send. The first time it waits at most so long, if one has to be asked for.
    ///
    /// # Errors
    /// There is no token to be had. Nothing was sent.
    pub(crate) fn get(&mut self, time: Duration) -> Result<Option<&IssuedToken>> {
        if self.current.is_none() {
            self.current = self.tokens.get(time)?;
        }
        Ok(self.current.as_ref())
    }

    /// The token as it was sent last.
    pub(crate) fn sent(&self) -> Option<&Token> {
        self.current.as_ref().map(IssuedToken::token)
    }

    /// A server has accepted it.
    pub(crate) fn accepted(&self) {
        if let Some(issued) = &self.current {
            issued.set_accepted();
        }
    }

    /// Gets another token if that is what the error asks for; then the call is worth another try.
    ///
    /// That is after a 401, after PERMISSION_DENIED, which Flight says of tokens that have expired as well, and after a 403
    /// if the token was accepted before. A token that was never accepted is asked
    /// for again once; one that was has expired, and may do so again before this call has its turn.
    ///
    /// # Errors
    /// The same error, or that no token is to be had.
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

/// So many tokens may expire under one call.
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
