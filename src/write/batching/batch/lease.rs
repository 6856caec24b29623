//! The claim on the place on the disk of a batch that is there as well.

#[cfg(feature = "spool")]
pub(crate) use crate::write::spool::Lease;

/// Without the feature `spool` nothing is on the disk.
#[cfg(not(feature = "spool"))]
#[derive(Clone, Debug)]
pub(crate) enum Lease {}

#[cfg(not(feature = "spool"))]
impl Lease {
    pub(crate) fn is_former(&self) -> bool {
        match *self {}
    }
}
