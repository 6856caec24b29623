//! The lines of a call, each in the shard of its series.

use std::sync::Arc;

use super::call_lines::CallLines;
use crate::line_protocol::series::series_hash;
use crate::line_protocol::text::line_ends;
use crate::write::target::Target;

/// The shard, from 0, of a line: the same one for all lines of its series.
pub(crate) fn shard_of(line: &[u8], shards: usize) -> usize {
    // Less than the number of shards, so it fits.
    (series_hash(line) % shards as u64) as usize
}

/// The lines of one call by target and shard, for each in their order. The bytes are copied.
#[derive(Debug)]
pub(crate) struct ShardedLines<'a>(Vec<ShardLines<'a>>);

#[derive(Debug)]
struct ShardLines<'a> {
    target: &'a Arc<Target>,
    shard: usize,
    bytes: Vec<u8>,
    lines: usize,
}

impl<'a> ShardedLines<'a> {
    /// Takes all lines that are left.
    pub(crate) fn take(lines: &mut [CallLines<'a>], shards: usize) -> Self {
        let mut all = Vec::new();
        for lines in lines {
            let target = lines.target();
            let part = |shard| ShardLines { target, shard, bytes: Vec::new(), lines: 0 };
            let mut parts: Vec<_> = (0..shards).map(part).collect();
            let bytes = lines.take(lines.left());
            let mut start = 0;
            for end in line_ends(bytes) {
                let line = &bytes[start..end];
                let part = &mut parts[shard_of(line, shards)];
                part.bytes.extend_from_slice(line);
                part.lines += 1;
                start = end;
            }
            all.extend(parts.into_iter().filter(|part| part.lines > 0));
        }
        Self(all)
    }

    pub(crate) fn lines(&self) -> Vec<CallLines<'_>> {
        let parts = self.0.iter();
        let lines = parts.map(|ShardLines { target, shard, bytes, lines }| {
            CallLines::new(target, bytes, *lines).in_shard(*shard)
        });
        lines.collect()
    }
}
