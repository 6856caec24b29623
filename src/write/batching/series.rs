//! The lines of a call, each in the shard of its series.

use std::sync::Arc;

use super::call_lines::CallLines;
use crate::line_protocol::series::series_hash;
use crate::line_protocol::text::line_ends;
use crate::write::target::Target;

/// The shard of a line, of so many. A series is always in the same one.
pub(super) fn shard_of(line: &[u8], shards: usize) -> usize {
    // Less than the number of shards, so it fits.
    (series_hash(line) % shards as u64) as usize
}

/// The lines of one call by target and shard, within each in their order.
#[derive(Debug)]
pub(super) struct Sharded<'a>(Vec<Share<'a>>);

#[derive(Debug)]
struct Share<'a> {
    target: &'a Arc<Target>,
    shard: usize,
    bytes: Vec<u8>,
    lines: usize,
}

impl<'a> Sharded<'a> {
    /// Takes all lines that are left.
    pub(super) fn take(lines: &mut [CallLines<'a>], shards: usize) -> Self {
        let mut all = Vec::new();
        for lines in lines {
            let target = lines.target();
            let share = |shard| Share { target, shard, bytes: Vec::new(), lines: 0 };
            let mut shares: Vec<_> = (0..shards).map(share).collect();
            let bytes = lines.take(lines.left());
            let mut start = 0;
            for end in line_ends(bytes) {
                let line = &bytes[start..end];
                let share = &mut shares[shard_of(line, shards)];
                share.bytes.extend_from_slice(line);
                share.lines += 1;
                start = end;
            }
            all.extend(shares.into_iter().filter(|share| share.lines > 0));
        }
        Self(all)
    }

    pub(super) fn lines(&self) -> Vec<CallLines<'_>> {
        let shares = self.0.iter();
        let lines = shares.map(|Share { target, shard, bytes, lines }| {
            CallLines::new(target, bytes, *lines).in_shard(*shard)
        });
        lines.collect()
    }
}
