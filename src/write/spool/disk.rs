//! The file system, as far as the spool uses it.

use std::any::Any;
use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A file system. A test has one that crashes.
pub(crate) trait Disk: Debug + Send + Sync {
    /// Creates a directory, private to the user, and its parents. `Ok` if it exists.
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// Locks a file, which is created if it does not exist, until the returned guard is dropped or the process ends,
    /// killed or not. [`WouldBlock`](io::ErrorKind::WouldBlock) if another handle or process has the lock.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send>>;

    /// The names and sizes of the files of a directory.
    fn list(&self, path: &Path) -> io::Result<Vec<(String, u64)>>;

    /// Creates a file, private to the user. An error if it exists.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a file that exists.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Renames a file. No file has the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Returns when the names in a directory are on stable storage, where the system supports that.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
}

/// An open file, of one user at a time.
pub(crate) trait DiskFile: Send + Sync {
    /// Writes all bytes at the end; after an error, a part of them may be there.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;

    /// Reads from `offset` on until `bytes` is full or the file ends. Returns how many bytes were read.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize>;

    /// Cuts the file to this length.
    fn cut(&self, length: u64) -> io::Result<()>;

    /// Returns when its contents are on stable storage.
    fn sync(&self) -> io::Result<()>;
}
