//! The account of one line of a program.

/// What is known of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) target: usize,
    /// Whether the queue accepted it. False if the machine stopped before `add` returned.
    pub(super) is_taken: bool,
    pub(super) is_refused: bool,
    /// Whether it survives a loss of power.
    pub(super) is_safe: bool,
    /// Whether it will never be, as a sync has failed.
    pub(super) is_forgotten: bool,
    /// Whether power was lost when it was not safe.
    pub(super) may_be_lost: bool,
    pub(super) has_ended: bool,
}

impl Line {
    /// A line that is about to be given to the queue.
    pub(super) fn new(target: usize) -> Self {
        Self {
            target,
            is_taken: false,
            is_refused: false,
            is_safe: false,
            is_forgotten: false,
            may_be_lost: false,
            has_ended: false,
        }
    }
}

/// The line of this number, as line protocol.
pub(super) fn text_of(number: u64) -> String {
    format!("m f=\"line {number}\" {number}\n")
}

/// The number of a line, which must be as it was written.
pub(super) fn number_of(line: &str) -> u64 {
    let found: u64 = line.trim_end().rsplit(' ').next().unwrap().parse().unwrap();
    assert_eq!(line, text_of(found));
    found
}
