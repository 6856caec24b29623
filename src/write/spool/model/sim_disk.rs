//! A file system in memory that loses what was not synced, tears what was being written, and fails on request.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::random::Random;
use crate::write::spool::disk::{Disk, DiskFile};

/// Handles of one file system.
#[derive(Clone, Debug)]
pub(super) struct SimDisk(Arc<Mutex<World>>);

#[derive(Debug)]
struct World {
    files: BTreeMap<u64, FileContents>,
    /// Names as programs see them, and as they are on the disk.
    names: BTreeMap<PathBuf, u64>,
    durable_names: BTreeMap<PathBuf, u64>,
    next: u64,
    /// Locks, by the start of the machine in which they were taken.
    locks: BTreeMap<PathBuf, u64>,
    starts: u64,
    random: Random,
    /// How many more operations succeed before everything stops.
    stops_in: Option<usize>,
    has_stopped: bool,
    /// The next write fails for want of space.
    is_full: bool,
    syncs_fail: bool,
    /// The next file that is opened fails with this.
    next_open_fails: Option<io::Error>,
}

#[derive(Clone, Debug, Default)]
struct FileContents {
    now: Vec<u8>,
    durable: Vec<u8>,
}

struct SimFile {
    disk: SimDisk,
    file: u64,
    start: u64,
}

struct Lock {
    disk: SimDisk,
    path: PathBuf,
    start: u64,
}

impl SimDisk {
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(World {
            files: BTreeMap::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            next: 0,
            locks: BTreeMap::new(),
            starts: 0,
            random: Random::new(seed),
            stops_in: None,
            has_stopped: false,
            is_full: false,
            syncs_fail: false,
            next_open_fails: None,
        })))
    }

    /// Stops everything after `operations` more operations.
    pub(super) fn stop_in(&self, operations: usize) {
        self.lock_world().stops_in = Some(operations);
    }

    pub(super) fn stop(&self) {
        self.lock_world().has_stopped = true;
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.lock_world().has_stopped
    }

    pub(super) fn fail_next_write(&self) {
        self.lock_world().is_full = true;
    }

    pub(super) fn fail_syncs(&self, fail: bool) {
        self.lock_world().syncs_fail = fail;
    }

    pub(super) fn fail_next_open(&self, why: io::Error) {
        self.lock_world().next_open_fails = Some(why);
    }

    /// The machine is there again. If power was lost, what was not synced is lost, or not, or in part.
    pub(super) fn start(&self, power_was_lost: bool) {
        let mut world = self.lock_world();
        world.starts += 1;
        (world.has_stopped, world.stops_in, world.is_full) = (false, None, false);
        world.syncs_fail = false;
        if !power_was_lost {
            return;
        }
        let world = &mut *world;
        let all: BTreeSet<_> =
            world.names.keys().chain(world.durable_names.keys()).cloned().collect();
        for path in all {
            let kept = if world.random.one_in(2) { &world.names } else { &world.durable_names };
            match kept.get(&path).copied() {
                Some(file) => world.durable_names.insert(path, file),
                None => world.durable_names.remove(&path),
            };
        }
        world.names = world.durable_names.clone();
        for contents in world.files.values_mut() {
            let safe = contents.durable.len().min(contents.now.len());
            let more = world.random.below(contents.now.len() - safe + 1);
            let mut left = contents.durable[..safe].to_vec();
            left.extend_from_slice(&contents.now[safe..safe + more]);
            if more > 0 && world.random.one_in(4) {
                // The size was written, and a block was not.
                let from = safe + world.random.below(more);
                left[from..].fill(0);
            }
            *contents = FileContents { now: left.clone(), durable: left };
        }
    }

    /// Flips a bit somewhere in a segment; says whether there is one.
    pub(super) fn damage(&self) -> bool {
        let mut world = self.lock_world();
        let world = &mut *world;
        let segments: Vec<u64> = world
            .names
            .iter()
            .filter(|(path, _)| path.extension().is_some_and(|ending| ending == "lp"))
            .map(|(_, file)| *file)
            .collect();
        if segments.is_empty() {
            return false;
        }
        let file = segments[world.random.below(segments.len())];
        let Some(contents) = world.files.get_mut(&file) else { return false };
        if contents.now.is_empty() {
            return false;
        }
        let (place, bit) = (world.random.below(contents.now.len()), world.random.below(8));
        contents.now[place] ^= 1 << bit;
        if let Some(byte) = contents.durable.get_mut(place) {
            *byte = contents.now[place];
        }
        true
    }

    /// The names of all files, and what is in them.
    pub(super) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let world = self.lock_world();
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        world.names.iter().map(|(path, file)| (name(path), world.files[file].now.clone())).collect()
    }

    fn lock_world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }
}

impl World {
    /// One more operation; an error if everything has stopped, or this is the one in which it does.
    fn step(&mut self) -> io::Result<()> {
        if self.has_stopped {
            return Err(io::Error::other("stopped"));
        }
        if let Some(left) = &mut self.stops_in {
            if *left == 0 {
                self.has_stopped = true;
                return Err(io::Error::other("stopped"));
            }
            *left -= 1;
        }
        Ok(())
    }
}

impl Disk for SimDisk {
    fn create_directory(&self, _: &Path) -> io::Result<()> {
        self.lock_world().step()
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send>> {
        let mut world = self.lock_world();
        world.step()?;
        let start = world.starts;
        if world.locks.get(path) == Some(&start) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        world.locks.insert(path.to_owned(), start);
        Ok(Box::new(Lock { disk: self.clone(), path: path.to_owned(), start }))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<(String, u64)>> {
        let mut world = self.lock_world();
        world.step()?;
        let own = world.names.iter().filter(|(path, _)| path.parent() == Some(directory));
        let entry = |(path, file): (&PathBuf, &u64)| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, world.files[file].now.len() as u64)
        };
        Ok(own.map(entry).collect())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut world = self.lock_world();
        world.step()?;
        if world.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        world.next += 1;
        let (file, start) = (world.next, world.starts);
        world.files.insert(file, FileContents::default());
        world.names.insert(path.to_owned(), file);
        Ok(Arc::new(SimFile { disk: self.clone(), file, start }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut world = self.lock_world();
        world.step()?;
        if let Some(why) = world.next_open_fails.take() {
            return Err(why);
        }
        let file = *world.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimFile { disk: self.clone(), file, start: world.starts }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.lock_world();
        world.step()?;
        assert!(!world.names.contains_key(to), "{} is there already", to.display());
        let file = world.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        world.names.insert(to.to_owned(), file);
        // It happens or not, but never by halves; here it does.
        world.durable_names.remove(from);
        world.durable_names.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = self.lock_world();
        world.step()?;
        world.names.remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_directory(&self, _: &Path) -> io::Result<()> {
        let mut world = self.lock_world();
        world.step()?;
        world.durable_names = world.names.clone();
        Ok(())
    }
}

impl SimFile {
    fn with<T>(
        &self,
        use_it: impl FnOnce(&mut World, io::Result<()>) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut world = self.disk.lock_world();
        if world.starts != self.start {
            return Err(io::Error::other("of a process that is gone"));
        }
        let step = world.step();
        use_it(&mut world, step)
    }
}

impl DiskFile for SimFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        self.with(|world, step| {
            let was_stopped = step.is_err() && world.stops_in != Some(0);
            let is_full = std::mem::take(&mut world.is_full);
            let written = match (&step, is_full) {
                (Ok(()), false) => bytes.len(),
                _ if was_stopped => 0,
                _ => world.random.below(bytes.len() + 1),
            };
            world.files.get_mut(&self.file).unwrap().now.extend_from_slice(&bytes[..written]);
            if step.is_err() {
                // Only the first one that is stopped leaves something.
                world.stops_in = None;
            }
            step?;
            if is_full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        })
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        self.with(|world, step| {
            step?;
            let known = &world.files[&self.file].now;
            let from = (offset as usize).min(known.len());
            let length = (known.len() - from).min(bytes.len());
            bytes[..length].copy_from_slice(&known[from..from + length]);
            Ok(length)
        })
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.with(|world, step| {
            step?;
            let contents = world.files.get_mut(&self.file).unwrap();
            contents.now.truncate(length as usize);
            contents.durable.truncate(length as usize);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.with(|world, step| {
            step?;
            if world.syncs_fail {
                return Err(io::Error::other("the device does not answer"));
            }
            let contents = world.files.get_mut(&self.file).unwrap();
            contents.durable = contents.now.clone();
            Ok(())
        })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut world = self.disk.lock_world();
        if world.locks.get(&self.path) == Some(&self.start) {
            world.locks.remove(&self.path);
        }
    }
}
