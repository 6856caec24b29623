use std::error::Error as StdError;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Token;
use super::issued_token::IssuedToken;
use crate::contain::contain;
use crate::{Error, ErrorKind, Result};

/// The program's function that returns a token.
type Provider = dyn Fn() -> Result<String, Box<dyn StdError + Send + Sync>> + Send + Sync;

/// Obtains a token when a request needs one. One thread at a time obtains it, for all requests that wait. The token is
/// kept until a server refuses it.
pub(crate) struct TokenSource {
    origin: TokenOrigin,
    state: Mutex<TokenState>,
    answered: Condvar,
}

/// Where the token is obtained.
#[derive(Clone)]
enum TokenOrigin {
    File(PathBuf),
    Provider(Arc<Provider>),
}

/// The last answer of the source, and whether a thread is asking now.
#[derive(Default)]
struct TokenState {
    kept: Option<IssuedToken>,
    /// The most recent token that the server refused.
    refused: Option<IssuedToken>,
    /// The id of the process whose thread is asking now: a forked child has no such thread.
    asking: Option<u32>,
    /// How many times the source has answered.
    answers: u64,
    /// The error of the last answer, if it was one.
    failure: Option<Error>,
}

impl TokenSource {
    pub(crate) fn file(path: PathBuf) -> Self {
        Self::new(TokenOrigin::File(path))
    }

    pub(crate) fn provider(provider: Arc<Provider>) -> Self {
        Self::new(TokenOrigin::Provider(provider))
    }

    fn new(origin: TokenOrigin) -> Self {
        Self { origin, state: Mutex::default(), answered: Condvar::new() }
    }

    /// The token that is kept, or else the source's answer, for which this waits at most `time`.
    ///
    /// # Errors
    /// The source has no token, or does not answer in time. Retryable.
    pub(super) fn get(self: &Arc<Self>, time: Duration) -> Result<IssuedToken> {
        let state = self.lock();
        match &state.kept {
            Some(kept) => Ok(kept.clone()),
            None => self.wait_for_answer(state, time),
        }
    }

    /// A token in place of one that a server refused. None if the source answers with the refused token again.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(super) fn renew(
        self: &Arc<Self>,
        refused: &IssuedToken,
        time: Duration,
    ) -> Result<Option<IssuedToken>> {
        let mut state = self.lock();
        match &state.kept {
            // Another call has renewed it meanwhile.
            Some(kept) if !kept.is(refused) => return Ok(Some(kept.clone())),
            // The others wait for the answer as well, rather than send what is refused.
            Some(_) => state.refused = state.kept.take(),
            None => {}
        }
        let issued = self.wait_for_answer(state, time)?;
        Ok(Some(issued).filter(|issued| !issued.is(refused)))
    }

    fn wait_for_answer<'s>(
        self: &'s Arc<Self>,
        mut state: MutexGuard<'s, TokenState>,
        time: Duration,
    ) -> Result<IssuedToken> {
        let start = Instant::now();
        let awaited = state.answers + 1;
        loop {
            if let Some(kept) = &state.kept {
                return Ok(kept.clone());
            }
            if let Some(failure) = state.failure.as_ref().filter(|_| state.answers >= awaited) {
                return Err(failure.duplicate());
            }
            if state.asking != Some(process::id()) {
                state.asking = Some(process::id());
                state.failure = None;
                drop(state);
                self.ask();
                state = self.lock();
                continue;
            }
            let left = time.saturating_sub(start.elapsed());
            if left.is_zero() {
                let text = format!("{self} has given no token within {time:?}");
                return Err(Error::new(ErrorKind::Timeout, text).with_retryable(true));
            }
            let waited = self.answered.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Asks on a thread of its own, so that waiting calls can time out even if the source hangs.
    fn ask(self: &Arc<Self>) {
        let mut answer = PendingAnswer { source: Arc::clone(self), result: None };
        let ask = move || answer.result = Some(answer.source.answer());
        // If no thread can be started, the closure is dropped; dropping the pending answer reports that.
        let _ = thread::Builder::new().name("influxdb3-token".into()).spawn(ask);
    }

    fn answer(&self) -> Result<Token> {
        let text = match &self.origin {
            TokenOrigin::File(path) => read(path)
                .map_err(|error| no_token(format!("{self} cannot be read")).with_source(error))?,
            TokenOrigin::Provider(provider) => match contain(|| provider()) {
                Ok(Ok(text)) => text,
                Ok(Err(error)) => {
                    return Err(no_token(format!("{self} has no token")).with_source(error));
                }
                Err(panic) => return Err(no_token(format!("{self} panicked: {panic}"))),
            },
        };
        Token::parse(&text).map_err(|problem| no_token(format!("{self}: {problem}")))
    }

    fn lock(&self) -> MutexGuard<'_, TokenState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Delivers the result to the waiting calls when dropped, also after a panic.
struct PendingAnswer {
    source: Arc<TokenSource>,
    result: Option<Result<Token>>,
}

impl Drop for PendingAnswer {
    fn drop(&mut self) {
        let result = self.result.take();
        let result = result.unwrap_or_else(|| {
            Err(no_token(format!("there is no thread to ask {} on", self.source)))
        });
        let mut state = self.source.lock();
        state.asking = None;
        state.answers += 1;
        match result {
            Ok(token) => {
                // The same text as the refused token: that token is kept, with its record of having been accepted.
                let before = state.refused.take().filter(|before| *before.token() == token);
                state.kept = Some(before.unwrap_or_else(|| IssuedToken::new(token)));
                state.failure = None;
            }
            Err(failure) => state.failure = Some(failure),
        }
        drop(state);
        self.source.answered.notify_all();
    }
}

/// Names the source, as the beginning of a sentence.
impl fmt::Display for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            TokenOrigin::File(path) => write!(f, "the token file {}", path.display()),
            TokenOrigin::Provider(_) => f.write_str("the provider of tokens (token_from)"),
        }
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenSource").field(&self.to_string()).finish()
    }
}

fn no_token(text: String) -> Error {
    Error::new(ErrorKind::Unauthorized, text).with_retryable(true)
}

fn read(path: &PathBuf) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        let message = format!("it has more than {LONGEST} bytes, and a token is shorter");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(text)
}

/// The most bytes that a token file may have.
const LONGEST: u64 = 64 << 10;
