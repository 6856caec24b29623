//! A batch through its life: open while it takes lines, a delivery when it is sealed, and what is left when it has
//! ended.

mod accounts;
mod delivery;
mod ended;
mod key;
mod lease;
mod memory;
mod open_batch;
mod sealed_lines;
mod size;
mod tries;

pub(crate) use self::accounts::{Accounts, BATCH_COST, LINE_OVERHEAD};
pub(crate) use self::delivery::Delivery;
#[cfg(test)]
pub(crate) use self::delivery::tests::delivery_of_one_line;
pub(crate) use self::ended::Ended;
pub(crate) use self::key::BatchKey;
pub(crate) use self::memory::BatchMemory;
pub(crate) use self::open_batch::OpenBatch;
pub(crate) use self::sealed_lines::{LineSubset, SealedLines};
pub(crate) use self::size::Size;
pub(crate) use self::tries::SEARCH_REQUESTS;
