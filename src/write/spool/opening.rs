//! How a directory is opened: its lock, and its contents.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use super::backlog::Segment;
use super::disk::{Disk, DiskFile};
use super::files;
use super::options::SpoolSync;
use super::queue::DiskQueue;
use super::scanner::{Check, Scanned, Scanner};
use super::segment_format::begins_first_line;
use super::settings::SpoolSettings;
use super::shared_queue::QueueState;
use crate::write::amount::Amount;
use crate::{Error, ErrorKind, Result};

impl DiskQueue {
    /// Opens the queue in a directory, with everything that is there.
    ///
    /// # Errors
    /// [`ErrorKind::File`]: another client has the directory's lock, or the directory cannot be read and written.
    pub(crate) fn open(disk: Arc<dyn Disk>, settings: SpoolSettings) -> Result<Self> {
        let directory = settings.directory.clone();
        let failed = |what: &str, error: io::Error| {
            Error::new(
                ErrorKind::File,
                format!("the directory of the spool, {}, {what}", directory.display()),
            )
            .with_source(error)
        };
        disk.create_directory(&directory).map_err(|error| failed("cannot be made", error))?;
        let lock = disk.lock(&directory.join(files::LOCK)).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => failed(
                "is in use by another process, or by another client of this one: each needs a directory of its own",
                error,
            ),
            io::ErrorKind::Unsupported => {
                failed("is on a file system without locks: choose another one", error)
            }
            _ => failed(
                "cannot be locked: it must be readable and writable for the user that runs this program",
                error,
            ),
        })?;
        let mut state = QueueState::new(lock);
        find_segments(disk.as_ref(), &settings, &mut state)
            .map_err(|error| failed("cannot be read", error))?;
        check_writable(disk.as_ref(), &directory, state.next_segment)
            .map_err(|error| failed("cannot be written to", error))?;
        let sync = settings.sync;
        let queue = Self::new(disk, settings, state);
        if let SpoolSync::Every(interval) = sync {
            let inner = queue.0.clone();
            let run = move || {
                inner.syncing.run(interval, || {
                    let number = inner.lock().next_number;
                    if let Err(error) = inner.sync(number) {
                        inner.note_error("nothing can be synced", &error);
                    }
                });
            };
            thread::Builder::new().name(THREAD_NAME.into()).spawn(run).map_err(|error| {
                Error::new(ErrorKind::Internal, "no thread can be started for the spool")
                    .with_source(error)
            })?;
        }
        queue.0.clean_up();
        Ok(queue)
    }
}

/// Counts what there is, cuts off what was written in part, and sets aside what is no segment.
fn find_segments(
    disk: &dyn Disk,
    settings: &SpoolSettings,
    state: &mut QueueState,
) -> io::Result<()> {
    let directory = &*settings.directory;
    let mut segments = Vec::new();
    for (name, size) in disk.list(directory)? {
        if let Some(number) = files::number(&name) {
            segments.push((number, size));
            state.next_segment = state.next_segment.max(number.saturating_add(1));
        } else if let Some(number) = files::number_set_aside(&name) {
            state.damaged += 1;
            state.next_segment = state.next_segment.max(number.saturating_add(1));
        }
    }
    segments.sort_unstable();
    let last = segments.last().map(|(number, _)| *number);
    for (number, size) in segments {
        let file = disk.open(&files::path(directory, number))?;
        match examine(&file, size)? {
            Examined::Segment(segment) => {
                if segment.end < size {
                    log::warn!(
                        "spool {}: the last {} bytes of {} were written in part, and are cut off",
                        directory.display(),
                        size - segment.end,
                        files::name(number)
                    );
                    file.cut(segment.end)?;
                }
                if Some(number) == last && settings.sync != SpoolSync::Never {
                    // The process that wrote it may have been killed before it synced it.
                    file.sync()?;
                }
                state.damaged += u64::from(segment.is_damaged);
                state.next_number = state.next_number.max(segment.next_number);
                state.found += segment.unread;
                state.bytes += segment.end;
                state.backlog.insert(number, segment);
            }
            Examined::Nothing => {
                drop(file);
                log::warn!(
                    "spool {}: {} has nothing in it and is removed",
                    directory.display(),
                    files::name(number)
                );
                files::remove(disk, directory, number)?;
            }
            Examined::Damaged => {
                if settings.sync != SpoolSync::Never {
                    // As above. What is set aside is for somebody to read, and no error that it cannot be is news.
                    let _ = file.sync();
                }
                drop(file);
                state.damaged += 1;
                log::error!(
                    "spool {}: {} cannot be read, and is kept with the ending .bad",
                    directory.display(),
                    files::name(number)
                );
                files::set_aside(disk, directory, number)?;
            }
        }
    }
    Ok(())
}

/// What a file is.
enum Examined {
    Segment(Segment),
    /// Nothing was written to it, or nothing to its end.
    Nothing,
    Damaged,
}

/// Counts what is in a file. Lines are not read: what they are is seen when they are to be sent.
fn examine(file: &Arc<dyn DiskFile>, size: u64) -> io::Result<Examined> {
    let Some(mut scanner) = Scanner::new(file.clone(), size)? else {
        return Ok(if is_blank(file, size)? { Examined::Nothing } else { Examined::Damaged });
    };
    let mut segment = Segment { is_former: true, end: scanner.place(), ..Segment::default() };
    let mut is_broken = false;
    loop {
        match scanner.next(size, Check::Header)? {
            Scanned::Batch(header, _) => {
                let amount = Amount { lines: header.lines, bytes: header.bytes };
                segment.add(header.number, amount, header.time, scanner.place());
            }
            Scanned::Damage => is_broken = true,
            Scanned::End => break,
        }
    }
    let is_torn = scanner.place() < size && scanner.is_torn()?;
    segment.is_damaged = is_broken || scanner.place() < size && !is_torn;
    if segment.unread.lines == 0 {
        return Ok(if segment.is_damaged { Examined::Damaged } else { Examined::Nothing });
    }
    segment.end = if is_torn { scanner.place() } else { size };
    Ok(Examined::Segment(segment))
}

/// Whether nothing, or a part of a first line, or nothing but zeros is in a file. The latter is what some file
/// systems leave of a file that was being written when power was lost.
fn is_blank(file: &Arc<dyn DiskFile>, size: u64) -> io::Result<bool> {
    let mut bytes = vec![0; usize::try_from(size.min(64 << 10)).unwrap_or(0)];
    let mut place = 0;
    while place < size {
        let read = file.read_at(place, &mut bytes)?;
        let known = &bytes[..read];
        if read == 0 || place == 0 && begins_first_line(known) {
            return Ok(true);
        }
        if known.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        place += read as u64;
    }
    Ok(true)
}

/// Makes a file and removes it again.
fn check_writable(disk: &dyn Disk, directory: &Path, number: u64) -> io::Result<()> {
    drop(disk.create(&files::path(directory, number))?);
    files::remove(disk, directory, number)
}

const THREAD_NAME: &str = "influxdb3-spool";
