//! What belongs to one process.

/// A value that is of use only in the process that made it, as it depends on threads, and on locks that they
/// may hold.
///
/// A forked child has none of these threads: there the value is out of reach, and it is not dropped, either.
pub(crate) struct OfProcess<T> {
    /// `None` only while it is dropped.
    value: Option<T>,
    process: Process,
}

impl<T> OfProcess<T> {
    /// The process must be the one that made the value. Where that is known, it saves a system call to hand it on.
    pub(crate) fn new(value: T, process: Process) -> Self {
        Self { value: Some(value), process }
    }

    /// The value, in whatever process this is: for what takes no lock and needs no thread.
    pub(crate) fn in_any_process(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// The value; `None` in a forked child.
    pub(crate) fn get(&self) -> Option<&T> {
        self.value.as_ref().filter(|_| self.process.is_current())
    }
}

impl<T> Drop for OfProcess<T> {
    fn drop(&mut self) {
        if !self.process.is_current() {
            std::mem::forget(self.value.take());
        }
    }
}

/// A process. To ask which one this is takes a system call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Process(u32);

impl Process {
    pub(crate) fn current() -> Self {
        Self(std::process::id())
    }

    /// `false` in a forked child.
    pub(crate) fn is_current(self) -> bool {
        self == Self::current()
    }
}
