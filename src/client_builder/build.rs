use std::time::Duration;

use super::ClientBuilder;
use crate::config::{Config, KeepAlive};
use crate::line_protocol::TagRules;
use crate::{Client, Error, Result};

/// From settings to a client.
impl ClientBuilder {
    /// The client. Nothing is sent, and no thread is started, before it is used.
    ///
    /// ```
    /// use influxdb3_blocking::{Client, ErrorKind};
    ///
    /// let builder = Client::builder().host("ftp://example.io").token("a b");
    /// let error = builder.build().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config);
    /// let text = error.to_string();
    /// assert!(text.contains("use http:// or https://"));
    /// assert!(text.contains("the token has blanks"));
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming every problem.
    pub fn build(mut self) -> Result<Client> {
        self.check();
        let rules = TagRules::new(
            std::mem::take(&mut self.default_tags),
            std::mem::take(&mut self.tag_order),
        );
        if let Err(error) = &rules {
            self.problems.push(format!("default_tag: {}", error.message()));
        }
        let write_hosts = self.with_proxies(&self.write_hosts.clone());
        #[cfg(feature = "query")]
        let query_hosts = self.with_proxies(&self.query_hosts.clone());
        #[cfg(feature = "tls")]
        let tls = self.tls.build();
        #[cfg(feature = "tls")]
        self.problems.extend(tls.as_ref().err().cloned());
        match rules {
            Ok(rules) if self.problems.is_empty() => {
                let config = Config {
                    write_hosts,
                    #[cfg(feature = "query")]
                    query_hosts,
                    tokens: self.tokens,
                    auth_scheme: self.auth_scheme,
                    database: self.database,
                    organization: self.organization,
                    headers: self.headers,
                    connect_timeout: self.connect_timeout,
                    write_timeout: self.write_timeout,
                    #[cfg(feature = "query")]
                    query_timeout: self.query_timeout,
                    #[cfg(feature = "query")]
                    idle_timeout: self.idle_timeout,
                    #[cfg(feature = "query")]
                    keep_alive: self.keep_alive,
                    #[cfg(feature = "tls")]
                    tls: tls.map_err(Error::config)?,
                    #[cfg(feature = "query")]
                    max_message_size: self.max_message_size,
                    max_request_bytes: self.max_request_bytes,
                    gzip_threshold: self.gzip_threshold,
                    precision: self.precision,
                    use_v2_api: self.use_v2_api,
                    no_sync: self.no_sync,
                    accept_partial: self.accept_partial,
                };
                Client::new(config, rules, &self.write_options, self.start_batching)
            }
            _ => Err(Error::config(self.problems.join("; "))),
        }
    }

    /// What is wrong with the whole rather than with one setting.
    fn check(&mut self) {
        self.settle_hosts();
        if self.no_sync && self.use_v2_api {
            self.problems
                .push("no_sync needs use_v2_api(false): /api/v2/write does not know it".into());
        }
        if self.max_request_bytes == 0 {
            self.problems.push("max_request_bytes is 0: no line fits".into());
        }
        self.problems.extend(self.write_options.problems());
        if self.max_message_size == 0 {
            self.problems.push("max_message_size is 0: no answer fits".into());
        }
        if matches!(self.keep_alive, KeepAlive::Every(Duration::ZERO)) {
            self.problems.push("keep_alive_interval is 0: None turns PINGs off".into());
        }
        for (name, timeout) in [
            ("connect_timeout", Some(self.connect_timeout)),
            ("write_timeout", Some(self.write_timeout)),
            ("query_timeout", self.query_timeout),
            ("idle_timeout", Some(self.idle_timeout)),
        ] {
            if timeout.is_some_and(|timeout| timeout.is_zero()) {
                self.problems.push(format!("{name} is 0: nothing can be done in no time"));
            }
        }
    }
}
