use std::collections::HashMap;
use std::sync::Arc;

use super::disk::DiskFile;
use super::files::NewSegment;
use crate::write::target::Target;

/// The segment that batches are appended to.
pub(super) struct ActiveSegment {
    /// Its number.
    pub(super) segment: u64,
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) salt: u32,
    /// Its size in bytes, which is where the next batch begins.
    pub(super) end: u64,
    /// The numbers of the targets that the segment names, from 1.
    targets: HashMap<Arc<Target>, u32>,
    /// The target of the last batch: most programs have one only, which is found without hashing then.
    last: Option<(Arc<Target>, u32)>,
}

impl ActiveSegment {
    pub(super) fn new(segment: u64, new: NewSegment) -> Self {
        let NewSegment { file, salt, end, .. } = new;
        Self { segment, file, salt, end, targets: HashMap::new(), last: None }
    }

    /// The number by which the segment knows a target; none if it does not yet.
    pub(super) fn find(&self, target: &Arc<Target>) -> Option<u32> {
        match &self.last {
            Some((last, number)) if Arc::ptr_eq(last, target) || last == target => Some(*number),
            _ => self.targets.get(target).copied(),
        }
    }

    /// The number that the next unknown target gets.
    pub(super) fn next_target(&self) -> u32 {
        self.targets.len() as u32 + 1
    }

    /// Remembers the target of a batch that was written, with its number.
    pub(super) fn remember(&mut self, target: &Arc<Target>, number: u32) {
        if !self.last.as_ref().is_some_and(|(last, _)| Arc::ptr_eq(last, target)) {
            self.targets.insert(target.clone(), number);
            self.last = Some((target.clone(), number));
        }
    }
}
