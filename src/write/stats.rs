/// What became of the lines that a batching client accepted.
///
/// Made by [`Client::write_stats`](crate::Client::write_stats), as of one moment: `accepted` always equals the
/// sum of `written`, `rejected`, `failed`, `dropped`, `returned` and `pending`, in lines and in bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct WriteStats {
    /// Taken by a [`send`](crate::WriteRequest::send).
    pub accepted: Amount,
    /// Stored by the server.
    pub written: Amount,
    /// Refused by the server for what is in the line.
    pub rejected: Amount,
    /// Given up: not retryable, or out of retries or time.
    pub failed: Amount,
    /// Thrown away by [`OnFull::DropNewest`](crate::OnFull::DropNewest) or
    /// [`DropOldest`](crate::OnFull::DropOldest), or not sent in the time that a dropped client has.
    pub dropped: Amount,
    /// Handed back by [`close`](crate::Client::close), as it could not be sent in time.
    pub returned: Amount,
    /// Not settled yet: being collected, queued, on the way or waiting for a retry.
    pub pending: Amount,
    /// How many requests stored lines.
    pub batches: u64,
    /// How many times a request was, or is about to be, sent again.
    pub retries: u64,
    /// How many calls of callbacks panicked.
    pub callback_panics: u64,
}

/// A number of lines, and their size.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Amount {
    /// How many lines.
    pub lines: u64,
    /// How many bytes of line protocol, newlines included.
    pub bytes: u64,
}

impl Amount {
    pub(crate) fn new(lines: usize, bytes: usize) -> Self {
        Self { lines: lines as u64, bytes: bytes as u64 }
    }
}

impl std::ops::AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.bytes += other.bytes;
    }
}

impl std::ops::SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        self.lines = self.lines.saturating_sub(other.lines);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }
}

/// How lines are settled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    Written,
    Rejected,
    Failed,
    Dropped,
    Returned,
}

impl WriteStats {
    pub(crate) fn accept(&mut self, amount: Amount) {
        self.accepted += amount;
        self.pending += amount;
    }

    /// Lines are settled once: this is the only way out of `pending`.
    pub(crate) fn settle(&mut self, end: End, amount: Amount) {
        self.pending -= amount;
        match end {
            End::Written => self.written += amount,
            End::Rejected => self.rejected += amount,
            End::Failed => self.failed += amount,
            End::Dropped => self.dropped += amount,
            End::Returned => self.returned += amount,
        }
    }
}
