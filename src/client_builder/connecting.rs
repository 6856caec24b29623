use super::ClientBuilder;
use crate::transport::Proxy;

/// The way to the server: proxy and TLS.
impl ClientBuilder {
    /// The proxy that writes and queries go through: `http://[user:password@]host:port`, `https://…` for a proxy that
    /// speaks TLS itself, or `socks5://…`. User and password are percent-encoded.
    ///
    /// Everything goes through a tunnel to the server (CONNECT, or what SOCKS 5 has for that), `http://` as well, and
    /// the proxy resolves the server's name. Default: none, unless
    /// [the environment's is asked for](Self::proxy_from_env), over which this one wins.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let client = Client::builder()
    ///     .host("https://cluster.example.io")
    ///     .proxy("socks5://me:p%40ssword@proxy.corp.example:1080")
    ///     .build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn proxy(mut self, proxy: impl AsRef<str>) -> Self {
        match Proxy::parse(proxy.as_ref()) {
            Ok(proxy) => self.proxy = Some(proxy),
            Err(problem) => self.problems.push(problem),
        }
        self
    }

    /// Takes the proxy from the environment, which `build` reads then. Default: false.
    ///
    /// `HTTPS_PROXY` is for hosts with `https://`, `HTTP_PROXY` for hosts with `http://`, and `ALL_PROXY` for both if the
    /// other is not set; the lower case of each name counts first. `NO_PROXY` lists hosts that are reached without a
    /// proxy, separated by commas: `example.io` (with all that ends in `.example.io`), `10.1.2.3`, `10.0.0.0/8`,
    /// each of the first two with a port if only that is meant, or `*` for all.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let client = Client::builder()
    ///     .host("https://cluster.example.io")
    ///     .proxy_from_env(true)
    ///     .build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn proxy_from_env(mut self, from_env: bool) -> Self {
        self.proxy_from_env = from_env;
        self
    }

    /// The certificates to trust for writes and queries, as PEM text, in place of the bundled ones.
    ///
    /// Every certificate of a bundle counts. One that is a root vouches for what it has signed. One that is the
    /// server's own, self-signed or not, is accepted when the server shows exactly that, whatever name and dates it
    /// has. Default: Mozilla's roots, from `webpki-roots`.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use influxdb3_blocking::Client;
    ///
    /// let client = Client::builder()
    ///     .host("https://influx.corp.example:8181")
    ///     .tls_root_certs(std::fs::read("corporate-ca.pem")?)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls_root_certs(mut self, pem: impl AsRef<[u8]>) -> Self {
        let set = self.tls.set_roots(pem.as_ref());
        self.problems.extend(set.err());
        self
    }

    /// Certificates to trust beside the others: the bundled ones, the system's (`tls_native_roots`), or
    /// [one's own](Self::tls_root_certs). As PEM text; a second call adds more.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use influxdb3_blocking::Client;
    ///
    /// let client = Client::builder()
    ///     .host("https://influx.corp.example:8181")
    ///     .tls_add_root_certs(std::fs::read("corporate-ca.pem")?)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls_add_root_certs(mut self, pem: impl AsRef<[u8]>) -> Self {
        let added = self.tls.add_roots(pem.as_ref());
        self.problems.extend(added.err());
        self
    }

    /// Trusts the operating system's root certificates in place of the bundled ones.
    ///
    /// ```no_run
    /// use influxdb3_blocking::Client;
    ///
    /// let builder = Client::builder().host("https://influx.corp.example");
    /// let client = builder.tls_native_roots(true).build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[cfg(feature = "native-certs")]
    pub fn tls_native_roots(mut self, native: bool) -> Self {
        self.tls.native_roots = native;
        self
    }

    /// The name that the server's certificate has to be for, and that the server is asked for (SNI), in place of the
    /// host's: for a host that is an address, or one end of a tunnel. The proxy, if there is one, is not meant.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// // ssh -L 8181:influx.example.io:8181 jump.example.io
    /// let client = Client::builder()
    ///     .host("https://localhost:8181")
    ///     .tls_server_name("influx.example.io")
    ///     .build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls_server_name(mut self, name: impl AsRef<str>) -> Self {
        let set = self.tls.set_server_name(name.as_ref());
        self.problems.extend(set.err());
        self
    }

    /// Appends the secrets of all TLS connections to the file that the variable `SSLKEYLOGFILE` names, so that a tool
    /// such as Wireshark can decrypt what was recorded. Default: false, whether the variable is set or not.
    ///
    /// With the file everything that was sent can be read, the token as well. The variable is read by `build`.
    ///
    /// ```no_run
    /// use influxdb3_blocking::Client;
    ///
    /// // SSLKEYLOGFILE=/tmp/keys.log, and never in a release
    /// let builder = Client::builder().host("https://cluster.example.io");
    /// let client = builder.tls_key_log(cfg!(debug_assertions)).build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls_key_log(mut self, log: bool) -> Self {
        self.tls.key_log = log;
        self
    }

    /// A client certificate (with its chain) and its private key, as PEM text, for mutual TLS. The key must not be
    /// encrypted.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use influxdb3_blocking::Client;
    ///
    /// let client = Client::builder()
    ///     .host("https://influx.corp.example:8181")
    ///     .client_cert(std::fs::read("me.pem")?, std::fs::read("me.key")?)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "tls")]
    pub fn client_cert(mut self, certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        let set = self.tls.set_identity(certificate.as_ref(), key.as_ref());
        self.problems.extend(set.err());
        self
    }

    /// Accepts any certificate, so that an attacker between client and server can read and change everything. Default:
    /// false.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// // A server on one's own desk; anywhere else, use `tls_root_certs`.
    /// let client = Client::builder()
    ///     .host("https://localhost:8181")
    ///     .danger_accept_invalid_certs(true)
    ///     .build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[cfg(feature = "tls")]
    pub fn danger_accept_invalid_certs(mut self, accept: bool) -> Self {
        self.tls.accept_invalid_certs = accept;
        self
    }
}
