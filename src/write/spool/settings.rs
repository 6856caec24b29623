use std::path::PathBuf;

use super::options::SpoolSync;

/// The settings of a queue on the disk, fixed when it is opened.
#[derive(Clone, Debug)]
pub(crate) struct SpoolSettings {
    /// The directory of its files, which is used for nothing else.
    pub(crate) directory: PathBuf,
    /// The most bytes that its files may have together.
    pub(crate) limit: u64,
    pub(crate) sync: SpoolSync,
    /// Whether the file that is written to is removed as soon as everything in it has ended, however small it is.
    pub(crate) is_tidy: bool,
}
