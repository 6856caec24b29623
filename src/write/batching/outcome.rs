//! What one request came to, and who is to be told of it.

use super::delivery::Delivery;
use super::ended::Ended;
use super::failures::{Failure, Failures};
use super::ledger::End;
use crate::{Error, LineError};

/// A batch of which nothing, or not everything, was stored.
pub(super) struct Bad {
    pub(super) ended: Ended,
    pub(super) error: Error,
    /// Whether the lines can be of use to the caller. Those that the server refuses are in the error already.
    pub(super) can_be_sent_again: bool,
}

/// What one request came to, and who is to be told of it.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) good: Vec<Ended>,
    pub(super) bad: Vec<Bad>,
    /// What no callback is to be told of.
    pub(super) others: Vec<Ended>,
    /// For the log.
    pub(super) loss: Option<Loss>,
}

/// Lines that are not written.
pub(super) struct Loss {
    pub(super) lines: usize,
    /// Of the first of them.
    pub(super) why: String,
}

impl Outcome {
    /// Adds batches that were handed back to whoever closes the client.
    #[cfg(feature = "spool")]
    pub(super) fn hand_back(&mut self, ended: Vec<Ended>) {
        self.others.extend(ended);
    }

    /// Adds a batch to those that the error callback is to be told of. Without one, its failure is recorded in the moment
    /// of its end.
    pub(super) fn add(&mut self, bad: Bad, has_callback: bool, failures: &mut Failures) {
        let loss = || Loss { lines: 0, why: bad.error.message().to_owned() };
        self.loss.get_or_insert_with(loss).lines += bad.ended.batch.lines;
        if has_callback {
            return self.bad.push(bad);
        }
        let (failure, ended) = bad.into_failure();
        let failure = match &ended.file {
            Some(file) => file.add(failure),
            None => Some(failure),
        };
        if let Some(failure) = failure {
            failures.add(ended.epoch(), failure);
        }
        self.others.push(ended);
    }
}

impl Bad {
    /// What the caller is to be told, within the bound of memory: lines keep the room that they have, and what is wrong
    /// with single lines is kept as far as there is room for it.
    pub(super) fn into_failure(self) -> (Failure, Ended) {
        let Self { mut ended, mut error, can_be_sent_again } = self;
        let kept = can_be_sent_again.then(|| ended.keep());
        let mut permits = Vec::new();
        let fitting = error.take_line_errors().into_iter().take_while(|line| {
            let text = line.message().len() + line.line().map_or(0, str::len);
            let own = ended.permits(size_of::<LineError>() + text);
            own.map(|own| permits.extend(own)).is_some()
        });
        let fitting: Vec<_> = fitting.collect();
        error.add_line_errors(fitting);
        let mut failure = Failure::new(error);
        permits.into_iter().for_each(|permit| failure.add_permit(permit));
        if let Some((batch, permit)) = kept {
            failure.keep(ended.order, batch, permit);
        }
        (failure, ended)
    }
}

/// Ends a batch of which nothing was stored.
pub(super) fn fail(delivery: Delivery, error: &Error, end: End, can_be_sent_again: bool) -> Bad {
    let mut error = error.duplicate();
    error.add_doubt(delivery.tries.in_doubt);
    Bad { ended: delivery.end(end), error, can_be_sent_again }
}
