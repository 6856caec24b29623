//! The claim on the place on the disk of a batch that is there as well.

#[cfg(feature = "spool")]
pub(crate) use crate::write::spool::DiskLease;

/// Without the feature `spool` nothing is on the disk.
#[cfg(not(feature = "spool"))]
#[derive(Clone, Debug)]
pub(crate) enum DiskLease {}

#[cfg(not(feature = "spool"))]
impl DiskLease {
    pub(crate) fn is_former(&self) -> bool {
        match *self {}
    }
}
