//! The outcome of the batches of one request, and which callbacks are to be called.

use crate::write::batching::accounting::{BatchFailure, End, Failures};
use crate::write::batching::batch::{Delivery, Ended};
use crate::{Error, LineError};

/// A batch of which nothing, or not everything, was stored.
pub(crate) struct Unstored {
    pub(crate) ended: Ended,
    pub(crate) error: Error,
    /// Whether the lines are handed back. Those that the server rejects are in the error's line errors already.
    pub(crate) can_be_sent_again: bool,
}

/// The batches of one request that have ended, by outcome.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Stored: for the success callback.
    pub(crate) good: Vec<Ended>,
    /// Not stored, or not as a whole: for the error callback.
    pub(crate) bad: Vec<Unstored>,
    /// For no callback.
    pub(crate) others: Vec<Ended>,
    /// What is to be logged.
    pub(crate) loss: Option<Loss>,
}

/// How many lines were not stored.
pub(crate) struct Loss {
    pub(crate) lines: usize,
    /// The message of the first error.
    pub(crate) why: String,
}

impl Outcome {
    /// Adds batches whose lines `close` returns.
    #[cfg(feature = "spool")]
    pub(crate) fn hand_back(&mut self, ended: Vec<Ended>) {
        self.others.extend(ended);
    }

    /// Adds a batch that was not stored. Without an error callback its failure is recorded here, under the lock under
    /// which it ended, so that no call can find it ended and no failure.
    pub(crate) fn add(&mut self, bad: Unstored, has_callback: bool, failures: &mut Failures) {
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

impl Unstored {
    /// The failure for a later call to return. Its lines keep their permit; line errors are kept as far as there are
    /// permits for their memory.
    pub(crate) fn into_failure(self) -> (BatchFailure, Ended) {
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
        let mut failure = BatchFailure::new(error);
        permits.into_iter().for_each(|permit| failure.add_permit(permit));
        if let Some((batch, permit)) = kept {
            failure.keep(ended.order, batch, permit);
        }
        (failure, ended)
    }
}

/// Ends a batch of which nothing was stored.
pub(crate) fn fail(
    delivery: Delivery,
    error: &Error,
    end: End,
    can_be_sent_again: bool,
) -> Unstored {
    let mut error = error.duplicate();
    error.add_doubt(delivery.tries.in_doubt);
    Unstored { ended: delivery.end(end), error, can_be_sent_again }
}
