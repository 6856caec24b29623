//! What is counted and waited for: bytes (`Budget`), the ends of lines (`Ledger`), the batches that a `flush` waits for
//! (`Epoch`), and failures that were not reported yet.

mod budget;
mod epoch;
mod failures;
#[cfg_attr(not(feature = "_files"), allow(dead_code))] // only files have one
mod file_ledger;
mod ledger;
mod order;

pub(crate) use self::budget::{Budget, NoPermit, Permit};
pub(crate) use self::epoch::{Epoch, Member};
pub(crate) use self::failures::{BatchFailure, Failures};
#[cfg(feature = "_files")]
pub(crate) use self::file_ledger::FileAmounts;
pub(crate) use self::file_ledger::{FileLedger, FileTag};
#[cfg(feature = "spool")]
pub(crate) use self::ledger::LineCounter;
pub(crate) use self::ledger::{End, Ledger};
pub(crate) use self::order::Order;
