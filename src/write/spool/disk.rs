//! What the spool needs of a file system.

use std::any::Any;
use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A file system. A test has one that crashes.
pub(crate) trait Disk: Debug + Send + Sync {
    /// Makes a directory that is the user's alone, with those above it; fine if it is there.
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// Locks a file, which is made if need be, until what is returned is dropped or the process ends, however it does.
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if somebody else has it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send>>;

    /// The names and sizes of the files of a directory.
    fn list(&self, path: &Path) -> io::Result<Vec<(String, u64)>>;

    /// A new file, for the user alone. It must not be there.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// A file that is there.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Gives a file another name, which nobody has.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Returns when the names in a directory are on stable storage, where that can be asked for.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
}

/// An open file, of one user at a time.
pub(crate) trait DiskFile: Send + Sync {
    /// Writes all bytes at the end; after an error, a part of them may be there.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;

    /// Reads what is there of as many bytes, from `offset` on; less than that at the end of the file only.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize>;

    /// Cuts it.
    fn cut(&self, length: u64) -> io::Result<()>;

    /// Returns when its contents are on stable storage.
    fn sync(&self) -> io::Result<()>;
}
