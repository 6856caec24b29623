//! The settings in force, and the origin of each: a flag wins over a variable, a variable over the profile, the profile
//! over the default.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use influxdb3_blocking::{Client, ClientBuilder, ErrorKind};

use super::profile::{Profile, Profiles};
use super::redacted::redacted;
use super::token::Token;
use crate::amounts;
use crate::common::Common;
use crate::failure::Failure;

/// A value, and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// Without its dashes.
    Flag(&'static str),
    Variable(&'static str),
    Profile(String),
    Usual,
}

/// What a request is for: writes and queries may go to different hosts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// Also that of a ping.
    Write,
    Query,
}

/// The settings in force.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config_file: Option<PathBuf>,
    pub(crate) profiles: Vec<String>,
    pub(crate) profile: Option<String>,
    /// Several with commas between them.
    pub(crate) host: Setting<String>,
    pub(crate) write_host: Option<Setting<String>>,
    pub(crate) query_host: Option<Setting<String>>,
    pub(crate) database: Option<Setting<String>>,
    pub(crate) token: Option<Setting<Token>>,
    pub(crate) tls_ca: Option<Setting<PathBuf>>,
    pub(crate) tls_native_roots: Setting<bool>,
    pub(crate) tls_no_verify: Setting<bool>,
    pub(crate) proxy: Option<Setting<String>>,
    pub(crate) timeout: Option<Setting<Duration>>,
    client_cert: Option<(PathBuf, PathBuf)>,
    headers: Vec<(String, String)>,
}

const HOST: &str = "http://127.0.0.1:8181";
const WRITE_HOST: &[&str] = &["INFLUX_WRITE_HOST", "INFLUXDB3_WRITE_HOST_URL"];
const QUERY_HOST: &[&str] = &["INFLUX_QUERY_HOST", "INFLUXDB3_QUERY_HOST_URL"];

/// A flag without its dashes, which is the key of a profile as well, and the variables that say the same.
struct Names(&'static str, &'static [&'static str]);

/// Where values are looked for.
struct Sources {
    profile: Option<(String, Profile)>,
}

impl Settings {
    pub(crate) fn resolve(common: &Common) -> Result<Self, Failure> {
        let profiles = Profiles::read(common.config.as_deref())?;
        let config_file = profiles.path.clone();
        let names = profiles.names().map(str::to_owned).collect();
        let sources = Sources { profile: profiles.choose(common.profile.as_deref())? };
        let text = |flag: Option<&str>, names: Names| sources.find(flag.map(str::to_owned), &names);
        let hosts = |flags: &[String], names: Names| {
            text(Some(flags.join(",")).filter(|hosts| !hosts.is_empty()).as_deref(), names)
        };
        let host = hosts(&common.hosts, Names("host", &["INFLUX_HOST", "INFLUXDB3_HOST_URL"]))?;
        let host = host.unwrap_or_else(|| Setting { value: HOST.into(), origin: Origin::Usual });
        let write_host = hosts(&common.write_hosts, Names("write-host", WRITE_HOST))?;
        let query_host = hosts(&common.query_hosts, Names("query-host", QUERY_HOST))?;
        // A write or query host from a weaker source (such as a profile) is ignored if the host comes from a stronger
        // one (such as a flag).
        let is_meant = |other: &Setting<String>| other.origin.strength() >= host.origin.strength();
        let database = text(
            common.database.as_deref(),
            Names("database", &["INFLUX_DATABASE", "INFLUXDB3_DATABASE_NAME"]),
        )?;
        let tls_ca = text(
            common.tls_ca.as_ref().map(|path| path.to_string_lossy().into_owned()).as_deref(),
            Names("tls-ca", &["INFLUX_TLS_CA", "INFLUXDB3_TLS_CA"]),
        )?;
        let switch = |is_on: bool, names: Names| -> Result<_, Failure> {
            let found = text(is_on.then_some("true"), names)?;
            let found = found.map(|setting| setting.try_map(|text| boolean(&text))).transpose()?;
            Ok(found.unwrap_or(Setting { value: false, origin: Origin::Usual }))
        };
        let tls_native_roots = switch(common.tls_native_roots, Names("tls-native-roots", &[]))?;
        let tls_no_verify = switch(
            common.tls_no_verify,
            Names("tls-no-verify", &["INFLUX_TLS_NO_VERIFY", "INFLUXDB3_TLS_NO_VERIFY"]),
        )?;
        let proxy = text(common.proxy.as_deref(), Names("proxy", &["INFLUX_PROXY"]))?;
        let timeout = match common.timeout {
            Some(value) => Some(Setting { value, origin: Origin::Flag("timeout") }),
            None => {
                let names = Names("timeout", &[]);
                let found = text(None, names)?;
                found.map(|setting| setting.try_map(|text| amounts::duration(&text))).transpose()?
            }
        };
        let headers = common.headers.iter().map(|header| parse_header(header));
        let certificate = common.client_cert.clone().zip(common.client_key.clone());
        Ok(Self {
            config_file,
            profiles: names,
            profile: sources.profile.as_ref().map(|(name, _)| name.clone()),
            write_host: write_host.filter(is_meant),
            query_host: query_host.filter(is_meant),
            host,
            database,
            token: sources.token(common)?,
            tls_ca: tls_ca.map(|setting| setting.map(PathBuf::from)),
            tls_native_roots,
            tls_no_verify,
            proxy,
            timeout,
            client_cert: certificate,
            headers: headers.collect::<Result<_, _>>()?,
        })
    }

    /// The database.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn database(&self) -> Result<&str, Failure> {
        match &self.database {
            Some(database) => Ok(&database.value),
            None => Err(Failure::usage("there is no database")
                .with_advice("name one with --database NAME, INFLUX_DATABASE or in a profile")),
        }
    }

    /// Whether standard input is read for the token.
    pub(crate) fn needs_stdin(&self) -> bool {
        self.token.as_ref().is_some_and(|token| token.value == Token::Stdin)
    }

    /// Whether lines that are written stay on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.hosts_for(Purpose::Write).value.split(',').all(|host| {
            let host = host.trim();
            let host = host.split_once("://").map_or(host, |(_, behind)| behind);
            ["localhost", "127.", "[::1]", "::1"].iter().any(|local| host.starts_with(local))
        })
    }

    /// A builder that knows all of it; the rest is the environment's.
    pub(crate) fn builder(&self) -> Result<ClientBuilder, Failure> {
        let mut builder = self.hosts();
        if let Some(database) = &self.database {
            builder = builder.database(&database.value);
        }
        if let Some(token) = &self.token {
            builder = token.value.give(builder)?;
        }
        // Those of variables are known already.
        let is_variable = |origin: &Origin| matches!(origin, Origin::Variable(_));
        if let Some(ca) = self.tls_ca.as_ref().filter(|ca| !is_variable(&ca.origin)) {
            builder = builder.tls_add_root_certs(read(&ca.value)?);
        }
        if let Some((certificate, key)) = &self.client_cert {
            builder = builder.client_cert(read(certificate)?, read(key)?);
        }
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(&proxy.value);
        }
        if let Some(timeout) = &self.timeout {
            // A profile does not win over the variables of the library, which the builder knows already.
            let is_open = |variable| matches!(timeout.origin, Origin::Flag(_)) || !is_set(variable);
            if is_open("INFLUX_WRITE_TIMEOUT") {
                builder = builder.write_timeout(timeout.value);
            }
            if is_open("INFLUX_QUERY_TIMEOUT") {
                builder = builder.query_timeout(timeout.value);
            }
        }
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        Ok(builder
            .tls_native_roots(self.tls_native_roots.value)
            .danger_accept_invalid_certs(self.tls_no_verify.value))
    }

    /// A builder that knows the environment and the hosts.
    fn hosts(&self) -> ClientBuilder {
        let split = |hosts: &Setting<String>| -> Vec<String> {
            hosts.value.split(',').map(|host| host.trim().to_owned()).collect()
        };
        // `with_env` may have set write and query hosts that `resolve` has ignored: they are overwritten here.
        let mut builder = Client::builder().with_env().hosts(split(&self.host));
        if self.write_host.is_some() || WRITE_HOST.iter().any(|name| is_set(name)) {
            builder = builder.write_hosts(split(self.hosts_for(Purpose::Write)));
        }
        if self.query_host.is_some() || QUERY_HOST.iter().any(|name| is_set(name)) {
            builder = builder.query_hosts(split(self.hosts_for(Purpose::Query)));
        }
        builder
    }

    /// Builds a client without its secrets, for what may be wrong with the rest.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let mut builder = self.hosts();
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(&proxy.value);
        }
        builder.build().map(drop).map_err(Failure::from)
    }

    /// Where requests go, several hosts with commas between them.
    fn hosts_for(&self, purpose: Purpose) -> &Setting<String> {
        let own = match purpose {
            Purpose::Write => &self.write_host,
            Purpose::Query => &self.query_host,
        };
        own.as_ref().unwrap_or(&self.host)
    }

    /// Where requests go, for people: without passwords, several hosts with commas between them.
    pub(crate) fn shown_hosts(&self, purpose: Purpose) -> String {
        let hosts = self.hosts_for(purpose).value.split(',');
        hosts.map(|host| redacted(host.trim())).collect::<Vec<_>>().join(", ")
    }

    /// The failure of a request, with the settings that may be its cause.
    pub(crate) fn explain(&self, error: influxdb3_blocking::Error, purpose: Purpose) -> Failure {
        let kind = error.kind();
        let failure = Failure::from(error);
        match kind {
            ErrorKind::Connect | ErrorKind::Tls | ErrorKind::Timeout | ErrorKind::Proxy => {
                let hosts = self.shown_hosts(purpose);
                failure.with_advice(match &self.hosts_for(purpose).origin {
                    Origin::Usual => format!(
                        "the host is {hosts}, as nothing says otherwise: set --host, INFLUX_HOST or a profile"
                    ),
                    origin => format!("the host is {hosts} (from {origin})"),
                })
            }
            ErrorKind::Unauthorized => failure.with_advice(match &self.token {
                Some(token) => format!("the token is from {}", token.origin),
                None => {
                    "there is no token: set --token-file, --token-command or INFLUX_TOKEN".into()
                }
            }),
            _ => failure,
        }
    }
}

impl Sources {
    /// A flag, or else the first of the variables, or else the profile.
    fn find(
        &self,
        flag: Option<String>,
        &Names(name, variables): &Names,
    ) -> Result<Option<Setting<String>>, Failure> {
        if let Some(value) = flag {
            return Ok(Some(Setting { value, origin: Origin::Flag(name) }));
        }
        for variable in variables {
            if let Some(value) = read_variable(variable)? {
                return Ok(Some(Setting { value, origin: Origin::Variable(variable) }));
            }
        }
        Ok(self.of_profile(name))
    }

    fn of_profile(&self, key: &str) -> Option<Setting<String>> {
        let (name, profile) = self.profile.as_ref()?;
        let value = profile.get(key)?.to_owned();
        Some(Setting { value, origin: Origin::Profile(name.clone()) })
    }

    fn token(&self, common: &Common) -> Result<Option<Setting<Token>>, Failure> {
        let flag = |value, flag| Ok(Some(Setting { value, origin: Origin::Flag(flag) }));
        if let Some(path) = &common.token_file {
            return flag(Token::of_file(path.clone()), "token-file");
        }
        if let Some(command) = &common.token_command {
            return flag(Token::Command(command.clone()), "token-command");
        }
        if let Some(token) = &common.token {
            if !common.quiet {
                eprintln!(
                    "influx3: warning: a token on the command line can be read by everybody on this machine and stays \
                     in the shell's history: use --token-file, --token-command or INFLUX_TOKEN"
                );
            }
            return flag(Token::Given(token.clone()), "token");
        }
        if let Some(path) = read_variable("INFLUX_TOKEN_FILE")? {
            let value = Token::File(path.into());
            return Ok(Some(Setting { value, origin: Origin::Variable("INFLUX_TOKEN_FILE") }));
        }
        for variable in ["INFLUX_TOKEN", "INFLUXDB3_AUTH_TOKEN"] {
            if let Some(token) = read_variable(variable)? {
                let value = Token::Given(token);
                return Ok(Some(Setting { value, origin: Origin::Variable(variable) }));
            }
        }
        let file = self.of_profile("token-file");
        let file = file.map(|setting| setting.map(|path| Token::of_file(path.into())));
        Ok(file.or_else(|| Some(self.of_profile("token-command")?.map(Token::Command))))
    }
}

impl<T> Setting<T> {
    pub(crate) fn map<U>(self, map: impl FnOnce(T) -> U) -> Setting<U> {
        Setting { value: map(self.value), origin: self.origin }
    }

    fn try_map<U>(self, map: impl FnOnce(T) -> Result<U, String>) -> Result<Setting<U>, Failure> {
        match map(self.value) {
            Ok(value) => Ok(Setting { value, origin: self.origin }),
            Err(problem) => Err(Failure::usage(format!("{}: {problem}", self.origin))),
        }
    }
}

impl Origin {
    /// What wins over what.
    fn strength(&self) -> u8 {
        match self {
            Self::Flag(_) => 3,
            Self::Variable(_) => 2,
            Self::Profile(_) => 1,
            Self::Usual => 0,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Variable(name) => f.write_str(name),
            Self::Profile(name) => write!(f, "profile {name}"),
            Self::Usual => f.write_str("default"),
        }
    }
}

/// Whether a variable has a value for the library, for which blanks are none.
fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.to_string_lossy().trim().is_empty())
}

/// An empty variable counts as unset.
fn read_variable(name: &str) -> Result<Option<String>, Failure> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value.trim().to_owned()).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::usage(format!("the variable {name} is not UTF-8")))
        }
    }
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

fn parse_header(text: &str) -> Result<(String, String), Failure> {
    let pair = text.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
    match pair {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        // The text may be a secret.
        _ => Err(Failure::usage("--header: write NAME: VALUE")),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::io(path.display(), &error))
}
