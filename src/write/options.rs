/// How a client writes.
#[derive(Clone, Debug)]
#[must_use]
pub struct WriteOptions {
    _private: (),
}

impl WriteOptions {
    /// Each write is one request on the caller's thread: tried at once, not retried, its error returned.
    pub const fn synchronous() -> Self {
        Self { _private: () }
    }
}
