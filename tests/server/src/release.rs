//! What differs between the releases that the server can answer as.

/// A release of InfluxDB 3 Core.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Release {
    /// Recorded.
    #[default]
    V3_6,
    /// Read in the source of 3.10 and in the release notes since.
    V3_12,
}

impl Release {
    /// `3.6` or `3.12`, with or without a patch.
    pub(crate) fn parse(text: &str) -> Option<Release> {
        let is_of = |minor: &str| {
            let patch = text.strip_prefix(minor).map(|rest| rest.strip_prefix('.').unwrap_or(rest));
            patch.is_some_and(|patch| patch.bytes().all(|byte| byte.is_ascii_digit()))
        };
        // "3.60" is neither.
        match text.split('.').nth(1) {
            Some("6") if is_of("3.6") => Some(Release::V3_6),
            Some("12") if is_of("3.12") => Some(Release::V3_12),
            _ => None,
        }
    }

    /// The version that the server says it is.
    pub(crate) fn version(self) -> &'static str {
        self.either("3.6.0", "3.12.1")
    }

    pub(crate) fn not_found(self) -> &'static str {
        self.either("not found", "Not found")
    }

    /// The body of the answer to a missing or wrong token.
    pub(crate) fn unauthorized(self) -> &'static str {
        self.either("", "{\"error\": \"the request was not authenticated\"}")
    }

    /// Bytes of the name of a database.
    pub(crate) fn max_name(self) -> usize {
        self.either(64, 511)
    }

    /// Longest measurement, key, tag value or string, in bytes without the escapes, and what is said of longer ones.
    pub(crate) fn max_text(self) -> (usize, &'static str) {
        self.either(
            (64 * 1024, "String is greater than 64KB"),
            (1024 * 1024, "String is greater than 1MB"),
        )
    }

    /// Tables of all databases together.
    pub(crate) fn max_tables(self) -> usize {
        self.either(2000, 4000)
    }

    /// Columns of a table that are tags.
    pub(crate) fn max_tags(self) -> usize {
        self.either(256, 4096)
    }

    /// What is said of a bad line where none is stored.
    pub(crate) fn line_error(self) -> &'static str {
        self.either("parsing failed for write_lp endpoint", "line protocol parsing error")
    }

    /// Whether what is wrong with a body has a status of its own on `/api/v3/write_lp`.
    pub(crate) fn tells_bodies_apart(self) -> bool {
        self.is_new()
    }

    /// Whether all members of a gzip body are read, and not only the first.
    pub(crate) fn reads_all_members(self) -> bool {
        self.is_new()
    }

    /// Whether a repeated tag is an error of its line, rather than the end of the server.
    pub(crate) fn refuses_duplicate_tags(self) -> bool {
        self.is_new()
    }

    /// Whether a refused line adds no columns.
    pub(crate) fn forgets_refused_lines(self) -> bool {
        self.is_new()
    }

    /// Whether `/api/v2/write` says 503 when the server is being stopped, and not 400.
    pub(crate) fn says_that_it_stops(self) -> bool {
        self.is_new()
    }

    /// Whether there is `/ready`.
    pub(crate) fn has_ready(self) -> bool {
        self.is_new()
    }

    /// Whether each answer names the cluster, and `/ping` the product.
    pub(crate) fn names_cluster(self) -> bool {
        self.is_new()
    }

    /// Whether a query that cannot be planned is the fault of the query, over HTTP as well.
    #[cfg(feature = "query")]
    pub(crate) fn blames_queries(self) -> bool {
        self.is_new()
    }

    fn is_new(self) -> bool {
        self.either(false, true)
    }

    fn either<T>(self, v3_6: T, v3_12: T) -> T {
        match self {
            Release::V3_6 => v3_6,
            Release::V3_12 => v3_12,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_with_and_without_a_patch() {
        for (text, release) in [
            ("3.6", Some(Release::V3_6)),
            ("3.6.0", Some(Release::V3_6)),
            ("3.12", Some(Release::V3_12)),
            ("3.12.1", Some(Release::V3_12)),
        ] {
            assert_eq!(Release::parse(text), release, "{text}");
        }
        for text in ["", "3", "3.7", "3.60", "3.120", "3.6.x", "v3.6", "2.12", "3.12-rc1"] {
            assert_eq!(Release::parse(text), None, "{text}");
        }
    }
}
