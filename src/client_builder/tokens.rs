use std::error::Error as StdError;
use std::path::PathBuf;
use std::sync::Arc;

use super::ClientBuilder;
use crate::config::{Token, TokenSource, Tokens};

/// What requests are authorized with: one token, or a source of tokens; the last one that is set.
impl ClientBuilder {
    /// The token, without a scheme such as `Bearer`. Without one, requests carry no authorization.
    ///
    /// ```no_run
    /// use influxdb3_blocking::Client;
    ///
    /// let client = Client::builder()
    ///     .host("https://cluster.example.io")
    ///     .token(std::env::var("SENSORS_TOKEN")?)
    ///     .build()?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn token(mut self, token: impl AsRef<str>) -> Self {
        let set = self.set_token(token.as_ref());
        self.problems.extend(set.err());
        self
    }

    /// A file that holds the token, such as a secret that a container is given. Blanks and line ends around the token do
    /// not matter.
    ///
    /// It is read when the first request needs it, and again when the server refuses the token: after a 401 (for
    /// queries also after PERMISSION_DENIED), and after a 403 if the same token was accepted before. A new token in the
    /// file is not read while the server accepts the old one. To replace a token without failed requests, write the new
    /// one into the file before the old one expires. One thread reads the file, and the others wait for that, each of
    /// them at most [`connect_timeout`](Self::connect_timeout). A request that was refused is sent once more with the
    /// new token, if it is another one. A file that cannot be read is an error of the request
    /// ([`Unauthorized`](crate::ErrorKind::Unauthorized), and retryable), and not of `build`.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let client = Client::builder()
    ///     .host("https://cluster.example.io")
    ///     .token_file("/run/secrets/influx-token")
    ///     .build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        let set = self.set_token_file(path.into());
        self.problems.extend(set.err());
        self
    }

    /// A function that gives the token: it asks a secret store, or logs in and has a token for some minutes.
    ///
    /// It is called when the first request needs a token, and again when a server refuses that, as a
    /// [file](Self::token_file) is read; in between the token is kept. At no time there are two calls of it. It is called
    /// on a thread of its own, so it may take its time; a request that waits for it longer than
    /// [`connect_timeout`](Self::connect_timeout) fails with [`Timeout`](crate::ErrorKind::Timeout). An error that it
    /// returns, or its panic, is an error of the requests that wait
    /// ([`Unauthorized`](crate::ErrorKind::Unauthorized)). All of these are retryable, and the next request calls it again.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// fn log_in() -> Result<String, std::io::Error> {
    ///     Ok("a token that is good for five minutes".replace(' ', "-"))
    /// }
    ///
    /// let client = Client::builder()
    ///     .host("https://cluster.example.io")
    ///     .token_from(|| Ok(log_in()?))
    ///     .build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn token_from(
        mut self,
        provider: impl Fn() -> Result<String, Box<dyn StdError + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        self.tokens = Tokens::From(Arc::new(TokenSource::provider(Arc::new(provider))));
        self
    }

    pub(super) fn set_token(&mut self, text: &str) -> Result<(), String> {
        self.tokens = Tokens::fixed(Token::parse(text)?);
        Ok(())
    }

    pub(super) fn set_token_file(&mut self, path: PathBuf) -> Result<(), String> {
        // Errors show the path.
        if path.to_string_lossy().trim_start().starts_with("apiv3_") {
            return Err(
                "the path of the token file is a token itself: give it with .token(…)".into()
            );
        }
        self.tokens = Tokens::From(Arc::new(TokenSource::file(path)));
        Ok(())
    }
}
