use std::sync::Arc;

use super::WriteOptions;
use crate::{Batch, Error};

type OnBatch = dyn Fn(&Batch) + Send + Sync;
type OnFailure = dyn Fn(&Batch, &Error) + Send + Sync;

/// The callbacks of a client; `None` for those that are not set.
#[derive(Clone, Default)]
pub(crate) struct Callbacks {
    pub(crate) success: Option<Arc<OnBatch>>,
    pub(crate) error: Option<Arc<OnFailure>>,
    pub(crate) retry: Option<Arc<OnFailure>>,
}

impl WriteOptions {
    /// Called when the lines of a batch are stored.
    ///
    /// Once for each batch, or once for each part if the batch was cut or some of its lines were bad.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// use influxdb3_blocking::WriteOptions;
    ///
    /// let written = Arc::new(AtomicUsize::new(0));
    /// let counter = written.clone();
    /// let options = WriteOptions::default().success_callback(move |batch| {
    ///     counter.fetch_add(batch.lines(), Ordering::Relaxed);
    /// });
    /// # let _ = options;
    /// ```
    pub fn success_callback(mut self, callback: impl Fn(&Batch) + Send + Sync + 'static) -> Self {
        self.callbacks.success = Some(Arc::new(callback));
        self.set("success_callback")
    }

    /// Called when lines are given up, with a batch of just these lines: after the last retry, for bad lines (the
    /// error's [`line_errors`](crate::Error::line_errors) has each line and what is wrong with it), and for lines
    /// that [`OnFull::DropNewest`](crate::OnFull::DropNewest) and [`OnFull::DropOldest`](crate::OnFull::DropOldest)
    /// throw away.
    ///
    /// ```
    /// use influxdb3_blocking::WriteOptions;
    ///
    /// let options = WriteOptions::default().error_callback(|batch, error| {
    ///     let text = String::from_utf8_lossy(batch.line_protocol());
    ///     eprintln!("{error}; these lines are lost:\n{text}");
    /// });
    /// # let _ = options;
    /// ```
    pub fn error_callback(
        mut self,
        callback: impl Fn(&Batch, &Error) + Send + Sync + 'static,
    ) -> Self {
        self.callbacks.error = Some(Arc::new(callback));
        self.set("error_callback")
    }

    /// Called before each wait for a retry.
    ///
    /// ```
    /// use influxdb3_blocking::WriteOptions;
    ///
    /// let options = WriteOptions::default().retry_callback(|batch, error| {
    ///     eprintln!("attempt {} failed: {error}", batch.attempts());
    /// });
    /// # let _ = options;
    /// ```
    pub fn retry_callback(
        mut self,
        callback: impl Fn(&Batch, &Error) + Send + Sync + 'static,
    ) -> Self {
        self.callbacks.retry = Some(Arc::new(callback));
        self.set("retry_callback")
    }
}
