use super::ClientBuilder;
use crate::{Client, Result};

/// How clients are made.
impl Client {
    /// A builder, which needs at least a [`host`](ClientBuilder::host).
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let builder = Client::builder().host("http://localhost:8181");
    /// let client = builder.database("sensors").build()?;
    /// assert!(Client::builder().build().is_err()); // no host
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// A client as the environment describes it; see [`ClientBuilder::with_env`].
    ///
    /// ```no_run
    /// use influxdb3_blocking::Client;
    ///
    /// // INFLUX_HOST, INFLUX_TOKEN, INFLUX_DATABASE, …
    /// let client = Client::from_env()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if `INFLUX_HOST` is missing or a value is wrong.
    pub fn from_env() -> Result<Self> {
        Self::builder().with_env().build()
    }

    /// A client as a connection string describes it; see [`ClientBuilder::with_connection_string`].
    ///
    /// ```
    /// let client = influxdb3_blocking::Client::from_connection_string(
    ///     "https://cluster.example.io/?token=secret&database=sensors",
    /// )?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming every value that is wrong.
    pub fn from_connection_string(text: impl AsRef<str>) -> Result<Self> {
        Self::builder().with_connection_string(text).build()
    }
}
