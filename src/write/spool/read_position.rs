use super::scanner::Scanner;

/// How far a queue was read, for the next reader.
#[derive(Default)]
pub(super) struct ReadPosition {
    /// The number of the segment that is being read, and how far.
    pub(super) scanner: Option<(u64, Scanner)>,
    /// How many times in a row the file system could not read the segment.
    pub(super) failures: u32,
}
