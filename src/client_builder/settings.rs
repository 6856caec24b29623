//! Settings that are given as texts: by the environment and by connection strings.

use std::ffi::OsString;

use super::ClientBuilder;
use super::hosts::parse_list;
use super::text_forms::{parse_bool, parse_duration};
use crate::Error;
use crate::transport::Proxy;

/// One setting: what it is called in either place, and what it does.
pub(super) struct Setting {
    /// The first one that is set counts.
    variables: &'static [&'static str],
    /// In a connection string; the host is no key there, but what stands before the keys.
    pub(super) key: &'static str,
    set: fn(&mut ClientBuilder, &str) -> Result<(), String>,
}

/// All of them, in the order of problems.
pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(&["INFLUX_HOST", "INFLUXDB3_HOST_URL"], HOST, |builder, text| {
        builder.hosts = parse_list(text)?;
        Ok(())
    }),
    Setting::new(
        &["INFLUX_WRITE_HOST", "INFLUXDB3_WRITE_HOST_URL"],
        "writeHost",
        |builder, text| {
            builder.write_hosts = parse_list(text)?;
            Ok(())
        },
    ),
    Setting::new(
        &["INFLUX_QUERY_HOST", "INFLUXDB3_QUERY_HOST_URL"],
        "queryHost",
        |builder, text| {
            builder.query_hosts = parse_list(text)?;
            Ok(())
        },
    ),
    Setting::new(&["INFLUX_TOKEN", "INFLUXDB3_AUTH_TOKEN"], "token", ClientBuilder::set_token),
    Setting::new(&["INFLUX_TOKEN_FILE"], "tokenFile", |builder, text| {
        builder.set_token_file(text.into())
    }),
    Setting::new(&["INFLUX_DATABASE", "INFLUXDB3_DATABASE_NAME"], "database", |builder, text| {
        builder.set_database(text);
        Ok(())
    }),
    Setting::new(&["INFLUX_ORG"], "org", |builder, text| {
        builder.organization = text.into();
        Ok(())
    }),
    Setting::new(&["INFLUX_AUTH_SCHEME"], "authScheme", |builder, text| {
        builder.set_auth_scheme(text)
    }),
    Setting::new(&["INFLUX_PRECISION"], "precision", |builder, text| {
        builder.precision =
            text.parse().map_err(|error: Error| Error::message(&error).to_owned())?;
        Ok(())
    }),
    Setting::new(&["INFLUX_GZIP_THRESHOLD"], "gzipThreshold", |builder, text| {
        let bytes = text.parse().map_err(|_| format!("{text:?} is no number of bytes"))?;
        if cfg!(not(feature = "gzip")) {
            return Err("needs the feature `gzip` of this crate".into());
        }
        builder.gzip_threshold = Some(bytes);
        Ok(())
    }),
    Setting::new(&["INFLUX_WRITE_NO_SYNC"], "writeNoSync", |builder, text| {
        builder.no_sync = parse_bool(text)?;
        Ok(())
    }),
    Setting::new(&["INFLUX_WRITE_ACCEPT_PARTIAL"], "writeAcceptPartial", |builder, text| {
        builder.accept_partial = parse_bool(text)?;
        Ok(())
    }),
    Setting::new(&["INFLUX_WRITE_USE_V2_API"], "writeUseV2Api", |builder, text| {
        builder.use_v2_api = parse_bool(text)?;
        Ok(())
    }),
    Setting::new(&["INFLUX_CONNECT_TIMEOUT"], "connectTimeout", |builder, text| {
        builder.connect_timeout = parse_duration(text)?;
        Ok(())
    }),
    Setting::new(&["INFLUX_WRITE_TIMEOUT"], "writeTimeout", |builder, text| {
        builder.write_timeout = parse_duration(text)?;
        Ok(())
    }),
    Setting::new(&["INFLUX_QUERY_TIMEOUT"], "queryTimeout", |builder, text| {
        builder.query_timeout = Some(parse_duration(text)?);
        Ok(())
    }),
    Setting::new(&["INFLUX_PROXY"], "proxy", |builder, text| {
        builder.proxy = Some(Proxy::parse(text)?);
        Ok(())
    }),
    Setting::new(&["INFLUX_PROXY_FROM_ENV"], "proxyFromEnv", |builder, text| {
        builder.proxy_from_env = parse_bool(text)?;
        Ok(())
    }),
    Setting::new(&["INFLUX_TLS_SERVER_NAME"], "tlsServerName", set_tls_server_name),
    Setting::new(&["INFLUX_TLS_CA", "INFLUXDB3_TLS_CA"], "tlsCa", add_tls_roots_of_file),
    Setting::new(
        &["INFLUX_TLS_NO_VERIFY", "INFLUXDB3_TLS_NO_VERIFY"],
        "tlsNoVerify",
        set_tls_no_verify,
    ),
];

#[cfg(feature = "tls")]
fn set_tls_server_name(builder: &mut ClientBuilder, name: &str) -> Result<(), String> {
    builder.tls.set_server_name(name)
}

#[cfg(feature = "tls")]
fn add_tls_roots_of_file(builder: &mut ClientBuilder, path: &str) -> Result<(), String> {
    let pem = std::fs::read(path).map_err(|error| format!("{path:?} cannot be read: {error}"))?;
    builder.tls.add_roots(&pem)
}

#[cfg(feature = "tls")]
fn set_tls_no_verify(builder: &mut ClientBuilder, text: &str) -> Result<(), String> {
    builder.tls.accept_invalid_certs = parse_bool(text)?;
    Ok(())
}

#[cfg(not(feature = "tls"))]
fn set_tls_server_name(_: &mut ClientBuilder, _: &str) -> Result<(), String> {
    Err("needs the feature `tls` of this crate".into())
}

#[cfg(not(feature = "tls"))]
fn add_tls_roots_of_file(_: &mut ClientBuilder, _: &str) -> Result<(), String> {
    Err("needs the feature `tls` of this crate".into())
}

/// Without TLS, `false` is accepted and does nothing; `true` is a problem.
#[cfg(not(feature = "tls"))]
fn set_tls_no_verify(_: &mut ClientBuilder, text: &str) -> Result<(), String> {
    match parse_bool(text)? {
        true => Err("needs the feature `tls` of this crate".into()),
        false => Ok(()),
    }
}

/// How the host is named in problems of a connection string.
const HOST: &str = "the connection string";

impl Setting {
    const fn new(
        variables: &'static [&'static str],
        key: &'static str,
        set: fn(&mut ClientBuilder, &str) -> Result<(), String>,
    ) -> Self {
        Self { variables, key, set }
    }

    /// The one of this key, which is none for the host.
    pub(super) fn of_key(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key && key != HOST)
    }

    pub(super) fn host() -> &'static Self {
        &SETTINGS[0]
    }

    /// Sets it; a problem names the key.
    pub(super) fn set_by_key(&self, builder: &mut ClientBuilder, value: &str) {
        self.set(builder, self.key, value);
    }

    fn set(&self, builder: &mut ClientBuilder, source: &str, value: &str) {
        if let Err(problem) = (self.set)(builder, value) {
            builder.problems.push(format!("{source}: {problem}"));
        }
    }
}

/// Sets what the environment has. An empty variable counts as unset.
pub(super) fn set_from_env(builder: &mut ClientBuilder, get: impl Fn(&str) -> Option<OsString>) {
    for setting in SETTINGS {
        for variable in setting.variables {
            match get(variable).map(OsString::into_string) {
                None => continue,
                Some(Ok(value)) if value.trim().is_empty() => continue,
                Some(Ok(value)) => setting.set(builder, variable, value.trim()),
                // The value is not shown, as it may be a secret.
                Some(Err(_)) => builder.problems.push(format!("{variable} is not UTF-8")),
            }
            break;
        }
    }
}
