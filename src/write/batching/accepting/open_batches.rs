//! The open batches of one shard.

use std::collections::HashMap;
use std::sync::Arc;

use crate::write::batching::accounting::{FileLedger, Permit};
use crate::write::batching::batch::{BatchKey, OpenBatch};
use crate::write::target::Target;

/// The open batches of a shard, one for each key.
#[derive(Debug, Default)]
pub(crate) struct OpenBatches {
    /// The batch that was written to last. Most programs have one only, which is found without hashing then.
    current: Option<OpenBatch>,
    others: HashMap<BatchKey, OpenBatch>,
}

impl OpenBatches {
    /// The open batch for lines of this target and file, if there is one.
    pub(crate) fn get(
        &mut self,
        target: &Arc<Target>,
        file: Option<&Arc<FileLedger>>,
    ) -> Option<&mut OpenBatch> {
        let is_same = |open: &OpenBatch| open.key.is_of(target, file);
        if !self.current.as_ref().is_some_and(is_same) {
            let key = BatchKey { target: target.clone(), file: file.cloned() };
            let found = self.others.remove(&key)?;
            if let Some(last) = self.current.replace(found) {
                self.others.insert(last.key.clone(), last);
            }
        }
        self.current.as_mut()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.current.is_none() && self.others.is_empty()
    }

    /// Adds a batch; there must be none with its key.
    pub(crate) fn insert(&mut self, open: OpenBatch) {
        if let Some(last) = self.current.replace(open) {
            self.others.insert(last.key.clone(), last);
        }
    }

    /// Takes out the batch that [`get`](Self::get) or [`insert`](Self::insert) gave last.
    pub(crate) fn take_current(&mut self) -> Option<OpenBatch> {
        self.current.take()
    }

    /// Takes out the batches of which `is_due` is true, in the order in which they were opened.
    pub(crate) fn take_if(&mut self, is_due: impl Fn(&OpenBatch) -> bool) -> Vec<OpenBatch> {
        let mut taken: Vec<_> =
            self.others.extract_if(|_, open| is_due(open)).map(|(_, open)| open).collect();
        taken.extend(self.current.take_if(|open| is_due(open)));
        taken.sort_by_key(|open| open.number);
        taken
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &OpenBatch> {
        self.current.iter().chain(self.others.values())
    }

    /// Has all of them give up memory that they do not fill; returns the permit for it, if there is any.
    pub(crate) fn trim(&mut self) -> Option<Permit> {
        let all = self.current.iter_mut().chain(self.others.values_mut());
        all.map(|open| open.memory.trim()).reduce(|mut all, permit| {
            all.merge(permit);
            all
        })
    }
}
