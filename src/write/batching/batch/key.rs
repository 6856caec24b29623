use std::sync::Arc;

use crate::write::batching::accounting::FileLedger;
use crate::write::target::Target;

/// What the lines of one batch have in common.
#[derive(Clone, Debug)]
pub(crate) struct BatchKey {
    pub(crate) target: Arc<Target>,
    /// The file that the lines are of, if any: such lines are in batches of their own.
    pub(crate) file: Option<Arc<FileLedger>>,
}

impl BatchKey {
    /// Whether lines for this target, and of this file or of none, belong to the batch.
    pub(crate) fn is_of(&self, target: &Arc<Target>, file: Option<&Arc<FileLedger>>) -> bool {
        is_same_file(self.file.as_ref(), file)
            && (Arc::ptr_eq(&self.target, target) || self.target == *target)
    }
}

impl PartialEq for BatchKey {
    fn eq(&self, other: &Self) -> bool {
        is_same_file(self.file.as_ref(), other.file.as_ref()) && self.target == other.target
    }
}

impl Eq for BatchKey {}

impl std::hash::Hash for BatchKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.target.hash(state);
        self.file.as_ref().map(Arc::as_ptr).hash(state);
    }
}

fn is_same_file(one: Option<&Arc<FileLedger>>, other: Option<&Arc<FileLedger>>) -> bool {
    one.map(Arc::as_ptr) == other.map(Arc::as_ptr)
}
