use std::fmt;
use std::sync::{Arc, Weak};

use super::{Client, ClientState};

/// A handle that does not keep its client alive. For callbacks: a client that owns itself, by way of a callback, is
/// there until it is closed.
///
/// ```
/// use influxdb3_blocking::{Client, WeakClient, WriteOptions};
/// use std::sync::{Arc, OnceLock};
///
/// let handle = Arc::new(OnceLock::<WeakClient>::new());
/// let options = WriteOptions::default().error_callback({
///     let handle = handle.clone();
///     move |batch, error| {
///         if let Some(client) = handle.get().and_then(WeakClient::upgrade) {
///             eprintln!("{} lines failed: {error}", batch.lines());
///             eprintln!("{:?}", client.write_stats());
///         }
///     }
/// });
/// let client = Client::builder()
///     .host("http://localhost:8181")
///     .database("d")
///     .write_options(options)
///     .build()?;
/// handle.set(client.downgrade()).ok();
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone)]
pub struct WeakClient {
    state: Weak<ClientState>,
}

impl WeakClient {
    pub(super) fn of(state: &Arc<ClientState>) -> Self {
        Self { state: Arc::downgrade(state) }
    }

    /// The client, if it is still there.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let builder = Client::builder().host("http://localhost:8181");
    /// let client = builder.database("sensors").build()?;
    /// let weak = client.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(client);
    /// assert!(weak.upgrade().is_none());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn upgrade(&self) -> Option<Client> {
        self.state.upgrade().map(|state| Client { state })
    }
}

impl fmt::Debug for WeakClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakClient").finish_non_exhaustive()
    }
}
