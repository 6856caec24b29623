//! What the programs of a test went through.

/// What the programs of a test went through.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    pub(super) lines: usize,
    pub(super) read: usize,
    pub(super) ended: usize,
    pub(super) kills: usize,
    pub(super) power_losses: usize,
    pub(super) damages: usize,
    pub(super) refused: usize,
    pub(super) dropped: u64,
    pub(super) unsafe_lines: usize,
    pub(super) repeated: usize,
}

impl Totals {
    pub(super) fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.read += other.read;
        self.ended += other.ended;
        self.kills += other.kills;
        self.power_losses += other.power_losses;
        self.damages += other.damages;
        self.refused += other.refused;
        self.dropped += other.dropped;
        self.unsafe_lines += other.unsafe_lines;
        self.repeated += other.repeated;
    }

    /// A test in which nothing happens proves nothing.
    pub(super) fn assert_everything_happened(&self) {
        let Self { lines, read, ended, kills, power_losses, damages, refused, .. } = self;
        for count in [lines, read, ended, kills, power_losses, damages, refused] {
            assert!(*count > 0, "{self:?}");
        }
        assert!(self.dropped > 0 && self.unsafe_lines > 0 && self.repeated > 0, "{self:?}");
    }
}
