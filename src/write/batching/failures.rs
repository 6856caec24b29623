//! What failed and was not told to anybody yet.

use std::collections::BTreeMap;

use super::budget::Permit;
use super::order::Order;
use crate::{Batch, Error};

/// The failures of a client, by epochs: `flush` is told of those that were accepted before it.
#[derive(Debug, Default)]
pub(super) struct Failures {
    by_epoch: BTreeMap<u64, Failure>,
    /// The epochs that a flush waits for, which is told of their failures.
    awaited: Vec<u64>,
}

/// One failure, or several as one: the first error, and the lines of all.
#[derive(Debug)]
#[must_use]
pub(super) struct Failure {
    error: Error,
    unsent: Vec<(Order, Batch)>,
    /// For the lines that it keeps, and for what is said about them; one of each budget.
    permits: Vec<Permit>,
    /// Whether a callback knows all of it, and only a file waits for it.
    pub(super) is_told: bool,
}

impl Failures {
    pub(super) fn add(&mut self, epoch: u64, failure: Failure) {
        match self.by_epoch.get_mut(&epoch) {
            Some(first) => first.add(failure),
            None => drop(self.by_epoch.insert(epoch, failure)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_epoch.is_empty()
    }

    /// Keeps the failures of this epoch, and of those before it, for a flush.
    pub(super) fn reserve(&mut self, epoch: u64) {
        self.awaited.push(epoch);
    }

    /// Takes what was [reserved](Self::reserve), but for what an earlier flush waits for.
    pub(super) fn take_reserved(&mut self, epoch: u64) -> Option<Failure> {
        self.awaited.retain(|awaited| *awaited != epoch);
        let earlier = self.awaited.iter().filter(|awaited| **awaited < epoch).max();
        let mut own = self.by_epoch.split_off(&earlier.map_or(0, |earlier| earlier + 1));
        let later = own.split_off(&(epoch + 1));
        self.by_epoch.extend(later);
        merged(own)
    }

    /// Takes what no flush waits for.
    pub(super) fn take_free(&mut self) -> Option<Failure> {
        let first = self.awaited.iter().max().map_or(0, |awaited| awaited + 1);
        merged(self.by_epoch.split_off(&first))
    }

    pub(super) fn take_all(&mut self) -> Option<Failure> {
        merged(std::mem::take(&mut self.by_epoch))
    }
}

fn merged(failures: BTreeMap<u64, Failure>) -> Option<Failure> {
    failures.into_values().reduce(|mut all, failure| {
        all.add(failure);
        all
    })
}

impl Failure {
    pub(super) fn new(error: Error) -> Self {
        Self { error, unsent: Vec::new(), permits: Vec::new(), is_told: false }
    }

    /// Keeps lines for the caller.
    pub(super) fn keep(&mut self, order: Order, batch: Batch, permit: Permit) {
        self.unsent.push((order, batch));
        self.add_permit(permit);
    }

    /// Hands back lines that take no room.
    pub(super) fn hand_back(&mut self, order: Order, batch: Batch) {
        self.unsent.push((order, batch));
    }

    /// The lines of both, the error of the first one, and doubt if there is any.
    pub(super) fn add(&mut self, other: Self) {
        let Self { mut error, unsent, permits, is_told } = other;
        self.error.add_line_errors(error.take_line_errors());
        self.error.add_lines_written(error.lines_written());
        self.error.add_doubt(error.in_doubt());
        self.unsent.extend(unsent);
        self.is_told &= is_told;
        permits.into_iter().for_each(|permit| self.add_permit(permit));
    }

    /// The error, with all lines in the order of acceptance. They take no room any more, so no lock may be held.
    pub(super) fn into_error(self) -> Error {
        let Self { mut error, mut unsent, permits, .. } = self;
        unsent.sort_by_key(|(order, _)| *order);
        error.add_unsent(unsent.into_iter().map(|(_, batch)| batch));
        drop(permits);
        error
    }

    /// Keeps a permit until the failure is told.
    pub(super) fn add_permit(&mut self, permit: Permit) {
        match self.permits.iter_mut().find(|own| own.is_of_budget_of(&permit)) {
            Some(own) => own.merge(permit),
            None => self.permits.push(permit),
        }
    }
}
