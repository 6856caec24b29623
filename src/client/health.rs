use serde_json::Value;

use crate::write::Answer;
use crate::{Client, Error, ErrorKind, Result};

/// Whether the server is there, and what it is.
impl Client {
    /// Sends `GET /ping`. `Ok` means that the server answered and named its version. Servers that require a token for
    /// `/ping` also check it; others accept any token. Of several hosts, those for writes are asked until one answers.
    ///
    /// Bounded by [`write_timeout`](crate::ClientBuilder::write_timeout).
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// client.ping()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Connect`] and its like if no server answers, [`ErrorKind::Unauthorized`] if the server requires
    /// another token, [`ErrorKind::Server`] if the answer names no version.
    pub fn ping(&self) -> Result<()> {
        self.server_version().map(drop)
    }

    /// The version of the server, such as `3.6.0`.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// println!("InfluxDB {}", client.server_version()?);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`ping`](Self::ping).
    pub fn server_version(&self) -> Result<String> {
        self.check_open()?;
        let (http, config) = (self.writer().http(), self.writer().config());
        let (answer, host) = http.get("/ping", "ping", config.write_timeout)?;
        if let Some(version) = answer.header("x-influxdb-version") {
            return Ok(version.to_owned());
        }
        let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
        match json.as_ref().and_then(|json| json.get("version")).and_then(Value::as_str) {
            Some(version) => Ok(version.to_owned()),
            None => Err(is_no_server("/ping", &answer, &host)),
        }
    }

    /// Asks whether the server is ready for work, as a load balancer would.
    ///
    /// It gets `/ready`, which servers from 3.10 on have: a success means that they can reach their object store. Where
    /// that is missing it gets `/health`, and where that is missing too (Cloud Dedicated) `/ping`, a success of which
    /// means only that the server answers. Of several hosts, those for writes are asked until one is ready. Bounded by
    /// [`write_timeout`](crate::ClientBuilder::write_timeout) each.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// while let Err(error) = client.ready() {
    ///     if !error.is_retryable() {
    ///         return Err(error);
    ///     }
    ///     std::thread::sleep(std::time::Duration::from_secs(1));
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Server`], and [retryable](Error::is_retryable), if the server says that it is not ready;
    /// [`ErrorKind::Connect`] and its like if no server answers, and [`ErrorKind::Unauthorized`] if it requires a
    /// token.
    pub fn ready(&self) -> Result<()> {
        self.check_open()?;
        let (http, config) = (self.writer().http(), self.writer().config());
        for path in ["/ready", "/health"] {
            match http.get(path, "not ready", config.write_timeout) {
                Ok((answer, host)) if answer.is_html() => {
                    return Err(is_no_server(path, &answer, &host));
                }
                Ok(_) => return Ok(()),
                Err(error) if matches!(error.status(), Some(404 | 405)) => {}
                Err(error) => return Err(error),
            }
        }
        self.ping()
    }
}

/// The error of an answer that no InfluxDB server gives.
fn is_no_server(path: &str, answer: &Answer, host: &str) -> Error {
    let what = if answer.is_html() { "with a web page" } else { "without a version" };
    let message = format!("{host} answered {path} {what}; is it an InfluxDB server?");
    Error::new(ErrorKind::Server, message).with_status(answer.status)
}
