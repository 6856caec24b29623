//! How many requests of a client may be in flight, by the results of earlier ones. No I/O, no clock.

use crate::{Error, ErrorKind, Result};

/// The number of requests that may be in flight: halved when the server fails or is too slow, and one more after
/// [`PATIENCE`] times as many successes as are allowed.
///
/// It is at least one, and at most the number of workers.
#[derive(Debug)]
pub(crate) struct InFlight {
    most: usize,
    allowed: usize,
    /// Successes since the number changed.
    successes: usize,
    round: Round,
}

/// The time between two halvings. A failure counts only if its request was sent in the current round, so that requests
/// that were in flight together halve the number once.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Round(u64);

/// See [`InFlight`].
const PATIENCE: usize = 4;

impl InFlight {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, allowed: most, successes: 0, round: Round::default() }
    }

    pub(crate) fn allowed(&self) -> usize {
        self.allowed
    }

    /// The round of a request that is sent now.
    pub(crate) fn round(&self) -> Round {
        self.round
    }

    /// Adapts the number to the result of a request that was sent in this round.
    pub(crate) fn note(&mut self, round: Round, result: &Result<()>) {
        match result {
            Ok(()) => self.note_success(),
            Err(error) if is_overload(error) && round == self.round => {
                self.round.0 += 1;
                self.successes = 0;
                self.allowed = (self.allowed / 2).max(1);
            }
            Err(_) => {}
        }
    }

    fn note_success(&mut self) {
        if self.allowed == self.most {
            return;
        }
        self.successes += 1;
        if self.successes >= PATIENCE * self.allowed {
            self.successes = 0;
            self.allowed += 1;
        }
    }
}

/// Whether fewer requests at a time may do better: the server fails, says that they are too many, or does not answer in
/// time. Not so if there is no connection, as then the server has no load.
fn is_overload(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::RateLimited => true,
        ErrorKind::Timeout => error.in_doubt() || error.status().is_some(),
        ErrorKind::Server => error.is_retryable() && error.status().is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> Error {
        Error::new(ErrorKind::Server, "").with_status(503).with_retryable(true)
    }

    fn fail(in_flight: &mut InFlight) -> usize {
        in_flight.note(in_flight.round(), &Err(failed()));
        in_flight.allowed()
    }

    fn succeed(in_flight: &mut InFlight, times: usize) -> usize {
        (0..times).for_each(|_| in_flight.note(in_flight.round(), &Ok(())));
        in_flight.allowed()
    }

    #[test]
    fn it_is_halved_at_once_and_grows_slowly_to_what_it_was() {
        let mut in_flight = InFlight::new(8);
        assert_eq!([(); 5].map(|()| fail(&mut in_flight)), [4, 2, 1, 1, 1]);
        assert_eq!(succeed(&mut in_flight, 3), 1);
        assert_eq!(succeed(&mut in_flight, 1), 2);
        assert_eq!(succeed(&mut in_flight, 7), 2);
        assert_eq!(succeed(&mut in_flight, 1), 3);
        assert_eq!(succeed(&mut in_flight, 10_000), 8);
        assert_eq!(fail(&mut in_flight), 4);
    }

    #[test]
    fn requests_that_were_on_the_way_together_halve_it_once() {
        let mut in_flight = InFlight::new(8);
        let rounds = [(); 8].map(|()| in_flight.round());
        for round in rounds {
            in_flight.note(round, &Err(failed()));
        }
        assert_eq!(in_flight.allowed(), 4);
    }

    #[test]
    fn a_failure_begins_the_successes_anew() {
        let mut in_flight = InFlight::new(2);
        fail(&mut in_flight);
        succeed(&mut in_flight, 3);
        fail(&mut in_flight);
        assert_eq!(succeed(&mut in_flight, 3), 1);
        assert_eq!(succeed(&mut in_flight, 1), 2);
    }

    #[test]
    fn only_a_server_that_bears_it_badly_makes_it_less() {
        let overload = [
            failed(),
            Error::new(ErrorKind::RateLimited, "").with_status(429),
            Error::new(ErrorKind::Timeout, "no answer").with_in_doubt(true),
            Error::new(ErrorKind::Timeout, "").with_status(408),
            // Core up to 3.10: its WAL buffer is full.
            Error::new(ErrorKind::Server, "").with_status(400).with_retryable(true),
        ];
        assert!(overload.iter().all(is_overload));
        let other = [
            Error::new(ErrorKind::Connect, "refused").with_retryable(true),
            Error::new(ErrorKind::Timeout, "no connection").with_retryable(true),
            Error::new(ErrorKind::Unauthorized, "").with_status(401),
            Error::new(ErrorKind::Rejected, "").with_status(400),
            Error::new(ErrorKind::TooLarge, "").with_status(413),
        ];
        assert!(!other.iter().any(is_overload));
    }
}
