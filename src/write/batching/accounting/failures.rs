//! Failures that were not reported yet: neither to a callback nor by a call.

use std::collections::BTreeMap;

use super::budget::Permit;
use super::order::Order;
use crate::{Batch, Error};

/// The failures of a client by the epochs of their batches: a `flush` returns those of its own epoch and of those
/// before.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    by_epoch: BTreeMap<u64, BatchFailure>,
    /// The epochs that a flush waits for now: only that flush returns their failures.
    awaited: Vec<u64>,
}

/// One failure, or several as one: the first error, and the lines of all.
#[derive(Debug)]
#[must_use]
pub(crate) struct BatchFailure {
    error: Error,
    unsent: Vec<(Order, Batch)>,
    /// For the memory of the lines and line errors that it keeps; one permit of each budget.
    permits: Vec<Permit>,
    /// Whether the error callback got all of it, so that only the call that writes the file returns it.
    pub(crate) is_told: bool,
}

impl Failures {
    /// Adds a failure of a batch of this epoch.
    pub(crate) fn add(&mut self, epoch: u64, failure: BatchFailure) {
        match self.by_epoch.get_mut(&epoch) {
            Some(first) => first.add(failure),
            None => drop(self.by_epoch.insert(epoch, failure)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_epoch.is_empty()
    }

    /// Keeps the failures of this epoch, and of those before it, for a flush.
    pub(crate) fn reserve(&mut self, epoch: u64) {
        self.awaited.push(epoch);
    }

    /// Takes what was [reserved](Self::reserve), but for what an earlier flush waits for.
    pub(crate) fn take_reserved(&mut self, epoch: u64) -> Option<BatchFailure> {
        self.awaited.retain(|awaited| *awaited != epoch);
        let earlier = self.awaited.iter().filter(|awaited| **awaited < epoch).max();
        let mut own = self.by_epoch.split_off(&earlier.map_or(0, |earlier| earlier + 1));
        let later = own.split_off(&(epoch + 1));
        self.by_epoch.extend(later);
        merged(own)
    }

    /// Takes the failures that no flush waits for.
    pub(crate) fn take_free(&mut self) -> Option<BatchFailure> {
        let first = self.awaited.iter().max().map_or(0, |awaited| awaited + 1);
        merged(self.by_epoch.split_off(&first))
    }

    /// Takes all failures.
    pub(crate) fn take_all(&mut self) -> Option<BatchFailure> {
        merged(std::mem::take(&mut self.by_epoch))
    }
}

fn merged(failures: BTreeMap<u64, BatchFailure>) -> Option<BatchFailure> {
    failures.into_values().reduce(|mut all, failure| {
        all.add(failure);
        all
    })
}

impl BatchFailure {
    pub(crate) fn new(error: Error) -> Self {
        Self { error, unsent: Vec::new(), permits: Vec::new(), is_told: false }
    }

    /// Adds lines that are handed back to the caller, with the permit for them.
    pub(crate) fn keep(&mut self, order: Order, batch: Batch, permit: Permit) {
        self.unsent.push((order, batch));
        self.add_permit(permit);
    }

    /// Adds lines that are handed back at once, and so need no permit.
    pub(crate) fn hand_back(&mut self, order: Order, batch: Batch) {
        self.unsent.push((order, batch));
    }

    /// Adds another failure: the error stays, with the lines and line errors of both; it is in doubt if one of them is.
    pub(crate) fn add(&mut self, other: Self) {
        let Self { mut error, unsent, permits, is_told } = other;
        self.error.add_line_errors(error.take_line_errors());
        self.error.add_lines_written(error.lines_written());
        self.error.add_doubt(error.in_doubt());
        self.unsent.extend(unsent);
        self.is_told &= is_told;
        permits.into_iter().for_each(|permit| self.add_permit(permit));
    }

    /// The error, with all lines in the order of acceptance. Releases the permits, so no lock may be held.
    pub(crate) fn into_error(self) -> Error {
        let Self { mut error, mut unsent, permits, .. } = self;
        unsent.sort_by_key(|(order, _)| *order);
        error.add_unsent(unsent.into_iter().map(|(_, batch)| batch));
        drop(permits);
        error
    }

    /// Keeps a permit until the error is returned.
    pub(crate) fn add_permit(&mut self, permit: Permit) {
        match self.permits.iter_mut().find(|own| own.is_of_budget_of(&permit)) {
            Some(own) => own.merge(permit),
            None => self.permits.push(permit),
        }
    }
}
