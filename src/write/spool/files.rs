//! The files of a spool: their names, and how they are made and go.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::backlog::Segment;
use super::disk::{Disk, DiskFile};
use super::options::SpoolSync;
use super::segment_format::{self, BatchHeader, LONGEST_BATCH_HEADER};
use super::settings::SpoolSettings;
use super::target_text;
use crate::write::amount::Amount;
use crate::write::target::Target;

/// A segment that was just made.
pub(super) struct NewSegment {
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) salt: u32,
    pub(super) end: u64,
    pub(super) counted: Segment,
}

/// The file that is locked while a queue uses the directory.
pub(super) const LOCK: &str = "lock";

/// The name of a segment.
pub(super) fn name(segment: u64) -> String {
    format!("{segment:020}{ENDING}")
}

/// The number of the segment of this name, if it is one.
pub(super) fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(ENDING)?;
    let is_plain = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| digits.parse().ok())?
}

/// The number of the segment that was set aside under this name, if one was.
pub(super) fn number_set_aside(name: &str) -> Option<u64> {
    number(name.strip_suffix(SET_ASIDE)?)
}

/// How many bytes a segment may have where all may have `limit`: they go one by one, so there must be some. A larger
/// batch has one of its own.
pub(super) fn segment_size(limit: u64) -> u64 {
    (limit / 8).min(8 << 20)
}

/// The most bytes that a batch of `bytes` bytes of lines takes on the disk. `new` is its target if the segment does not
/// have it yet.
pub(super) fn cost(bytes: u64, new: Option<&Arc<Target>>) -> u64 {
    let target = new.map_or(0, |target| target_text::to_text(target).len());
    bytes + (LONGEST_BATCH_HEADER + target) as u64
}

/// Makes a segment with its first line. If the settings ask for syncs, its name is on stable storage when this returns.
pub(super) fn create(
    disk: &dyn Disk,
    settings: &SpoolSettings,
    segment: u64,
) -> io::Result<NewSegment> {
    let directory = &settings.directory;
    let path = path(directory, segment);
    let file = disk.create(&path)?;
    let salt = RandomState::new().hash_one(segment) as u32;
    let mut line = Vec::new();
    segment_format::write_first_line(salt, &mut line);
    let made = file.append(&line).and_then(|()| match settings.sync {
        SpoolSync::Never => Ok(()),
        _ => disk.sync_directory(directory),
    });
    if let Err(error) = made {
        // There is nothing in it.
        let _ = disk.remove(&path);
        return Err(error);
    }
    let end = line.len() as u64;
    Ok(NewSegment {
        file,
        salt,
        end,
        counted: Segment { end, is_active: true, ..Segment::default() },
    })
}

pub(super) fn put_target(salt: u32, number: u32, target: &Target, to: &mut Vec<u8>) {
    segment_format::write_target(salt, number, &target_text::to_text(target), to);
}

pub(super) fn put_batch(
    salt: u32,
    number: u64,
    target: u32,
    amount: Amount,
    time: u64,
    lines: &[u8],
    to: &mut Vec<u8>,
) {
    let header = BatchHeader::new(number, target, amount.lines, amount.bytes, time);
    segment_format::write_batch(salt, header, lines, to);
}

pub(super) fn open(
    disk: &dyn Disk,
    directory: &Path,
    segment: u64,
) -> io::Result<Arc<dyn DiskFile>> {
    disk.open(&path(directory, segment))
}

pub(super) fn remove(disk: &dyn Disk, directory: &Path, segment: u64) -> io::Result<()> {
    disk.remove(&path(directory, segment))
}

/// Renames a segment to the name of a damaged one. Numbers are used once, so no file has that name.
pub(super) fn set_aside(disk: &dyn Disk, directory: &Path, segment: u64) -> io::Result<()> {
    let path = path(directory, segment);
    disk.rename(&path, &directory.join(format!("{}{SET_ASIDE}", name(segment))))
}

pub(super) fn path(directory: &Path, segment: u64) -> PathBuf {
    directory.join(name(segment))
}

const ENDING: &str = ".lp";
const SET_ASIDE: &str = ".bad";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_spool_has_named_is_a_segment() {
        assert_eq!(number(&name(0)), Some(0));
        assert_eq!(number(&name(u64::MAX)), Some(u64::MAX));
        for other in ["1.lp", "lock", "0000000000000000000x.lp", "+0000000000000000001.lp"] {
            assert_eq!(number(other), None, "{other}");
        }
        assert_eq!(number(&format!("{}.bad", name(1))), None);
        assert_eq!(number_set_aside(&format!("{}.bad", name(1))), Some(1));
        assert_eq!(number("99999999999999999999.lp"), None, "more than a number can be");
    }
}
