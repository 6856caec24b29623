use std::sync::Arc;
use std::time::Duration;

use super::answer::Api;
use crate::config::{Config, Headers};
use crate::{Batch, Precision};

/// Where lines go and how: everything that makes one request differ from another but its lines.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Target {
    pub(crate) database: Arc<str>,
    pub(crate) organization: Arc<str>,
    pub(crate) precision: Precision,
    pub(crate) api: Api,
    pub(crate) no_sync: bool,
    pub(crate) accept_partial: bool,
    pub(crate) headers: Headers,
    pub(crate) timeout: Duration,
}

impl Target {
    /// Where lines go if neither they nor the request say otherwise, if that is anywhere.
    pub(crate) fn usual(config: &Config) -> Option<Self> {
        let Config { organization, precision, no_sync, accept_partial, .. } = config;
        Some(Self {
            database: config.database.clone()?,
            organization: organization.clone(),
            precision: *precision,
            api: if config.use_v2_api { Api::V2 } else { Api::V3 },
            no_sync: *no_sync,
            accept_partial: *accept_partial,
            headers: Headers::default(),
            timeout: config.write_timeout,
        })
    }

    /// A batch of lines for this target.
    pub(crate) fn batch(&self, line_protocol: Vec<u8>, lines: usize) -> Batch {
        self.batch_of(Arc::new(line_protocol), lines)
    }

    /// The same, of lines that have other owners as well.
    pub(crate) fn batch_of(&self, line_protocol: Arc<Vec<u8>>, lines: usize) -> Batch {
        Batch {
            database: self.database.clone(),
            organization: self.organization.clone(),
            precision: self.precision,
            line_protocol,
            lines,
            attempts: 0,
        }
    }

    /// The path and query of the request, each parameter once.
    ///
    /// `/api/v2/write` documents short names of precisions and `/api/v3/write_lp` long ones. The latter
    /// guesses the precision if none is sent, so it always is.
    pub(crate) fn path_and_query(&self) -> String {
        let database = percent_encode(&self.database);
        match self.api {
            Api::V2 => {
                let mut path = format!("/api/v2/write?bucket={database}");
                if !self.organization.is_empty() {
                    path.push_str("&org=");
                    path.push_str(&percent_encode(&self.organization));
                }
                path.push_str("&precision=");
                path.push_str(self.precision.short_name());
                path
            }
            Api::V3 => format!(
                "/api/v3/write_lp?db={database}&precision={}&accept_partial={}&no_sync={}",
                self.precision.long_name(),
                self.accept_partial,
                self.no_sync
            ),
        }
    }
}

/// Everything but unreserved characters as percent escapes.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_name_each_parameter_once() {
        let mut target = Target {
            database: Arc::from("a/b &ü"),
            organization: Arc::from(""),
            precision: Precision::Millisecond,
            api: Api::V2,
            no_sync: false,
            accept_partial: true,
            headers: Headers::default(),
            timeout: Duration::from_secs(1),
        };
        assert_eq!(target.path_and_query(), "/api/v2/write?bucket=a%2Fb%20%26%C3%BC&precision=ms");
        target.organization = Arc::from("o p");
        assert_eq!(
            target.path_and_query(),
            "/api/v2/write?bucket=a%2Fb%20%26%C3%BC&org=o%20p&precision=ms"
        );
        target.api = Api::V3;
        target.database = Arc::from("d");
        assert_eq!(
            target.path_and_query(),
            "/api/v3/write_lp?db=d&precision=millisecond&accept_partial=true&no_sync=false"
        );
    }
}
