//! `spooling/` without the feature `spool`: the same methods, and nothing goes to the disk.
#![allow(clippy::needless_pass_by_ref_mut)] // as in spooling/

use std::sync::Arc;
use std::time::Instant;

use super::send_queue::{Group, Sources};
use crate::write::amount::Amount;
use crate::write::batching::Batcher;
use crate::write::batching::accepting::CallLines;
use crate::write::batching::accounting::Epoch;
use crate::write::batching::batch::Delivery;
use crate::write::batching::sending::Outcome;
use crate::write::options::BatchingSettings;
use crate::write::stats::WriteStats;
use crate::{Error, Result, WriteOptions};

/// There is no spool.
pub(super) enum Spooling {}

/// Moves no batches.
pub(super) struct Transfer;

impl Spooling {
    pub(super) fn open(
        _: &WriteOptions,
        _: &mut BatchingSettings,
        _: usize,
    ) -> Result<Option<Self>> {
        Ok(None)
    }

    pub(super) fn is_always(&self) -> bool {
        match *self {}
    }
}

impl Transfer {
    pub(super) fn take_failed(&mut self, _: &mut [Delivery], _: &mut Group, _: Instant) {}

    pub(super) fn taken(&self) -> std::iter::Empty<&Delivery> {
        std::iter::empty()
    }

    pub(super) fn take_late(&mut self, late: Vec<Delivery>) -> Vec<Delivery> {
        late
    }

    pub(super) fn note_trouble(&mut self) {}

    pub(super) fn end(self) {}

    pub(super) fn put_all<const N: usize>(
        &self,
        _: &Arc<Batcher>,
        deliveries: [Vec<Delivery>; N],
    ) -> [Vec<Delivery>; N] {
        deliveries
    }
}

impl Batcher {
    pub(super) fn start_spool(&self) -> Result<()> {
        Ok(())
    }

    pub(super) fn has_spool(&self) -> bool {
        self.spool.is_some()
    }

    pub(super) fn sources(&self) -> Sources {
        Sources::Both
    }

    pub(super) fn accepted_on_disk(&self) -> Amount {
        Amount::default()
    }

    pub(super) fn with_spool_stats(&self, stats: WriteStats) -> WriteStats {
        stats
    }

    pub(super) fn accept_on_disk(&self, spool: &Spooling, _: &mut [CallLines<'_>]) -> Result<()> {
        match *spool {}
    }

    pub(super) fn begin_transfer(&self) -> Transfer {
        Transfer
    }

    pub(super) fn end_transfer(&self, _: Transfer, _: &Error, _: &mut Outcome) {}

    pub(super) fn waits_on_disk(&self, _: &Error) -> bool {
        false
    }

    pub(super) fn is_impatient(&self) -> bool {
        false
    }

    pub(super) fn make_room_by_disk(&self) -> bool {
        false
    }

    pub(super) fn prepare_disk(&self) {}

    pub(super) fn has_disk_work(&self, _: Instant) -> bool {
        false
    }

    pub(super) fn next_due_on_disk(&self) -> Option<Instant> {
        None
    }

    pub(super) fn note_server_is_there(&self) {}

    pub(super) fn urge_disk(&self) {}

    pub(super) fn wait_for_epoch(&self, epoch: &Epoch) -> bool {
        epoch.wait();
        true
    }

    pub(super) fn wait_for_disk(&self) {}

    pub(super) fn is_disk_at_rest(&self) -> bool {
        true
    }

    pub(super) fn close_spool(&self) {}

    pub(super) fn release_spool(&self) {}
}
