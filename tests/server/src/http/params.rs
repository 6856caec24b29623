//! Query strings of the write endpoints, as strict as the real server is.

use crate::precision::Precision;

const PRECISIONS: &str =
    "`s`, `second`, `millisecond`, `ms`, `microsecond`, `u`, `us`, `n`, `nanosecond`, `ns`";

/// What the query string of a write says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Params {
    pub(crate) database: String,
    pub(crate) precision: Precision,
    pub(crate) accept_partial: bool,
    /// Whether the answer does not wait for the WAL.
    pub(crate) no_sync: bool,
}

/// Parameters of `/api/v3/write_lp`; unknown ones do not matter, repeated ones do.
pub(crate) fn v3(query: Option<&str>) -> Result<Params, String> {
    let query = query.ok_or("missing query parameter 'db'")?;
    let (mut database, mut precision, mut accept_partial, mut no_sync) = (None, None, None, None);
    parse(query, |key, value| match key {
        "db" => set(&mut database, "db", Ok(value.to_owned())),
        "precision" => set(&mut precision, "precision", parse_precision(value, true)),
        "accept_partial" => set(&mut accept_partial, "accept_partial", parse_bool(value)),
        "no_sync" => set(&mut no_sync, "no_sync", parse_bool(value)),
        _ => Ok(()),
    })
    .and_then(|()| {
        Ok(Params {
            database: database.ok_or("missing field `db`")?,
            precision: precision.unwrap_or(Precision::Auto),
            accept_partial: accept_partial.unwrap_or(true),
            no_sync: no_sync.unwrap_or(false),
        })
    })
    .map_err(|error| format!("serde error: {error}"))
}

/// Parameters of `/api/v2/write`: `accept_partial` and `no_sync` do not exist here, and the
/// organization is ignored.
pub(crate) fn v2(query: Option<&str>) -> Result<Params, String> {
    let query = query.ok_or("no org/bucket destination provided")?;
    let (mut bucket, mut org, mut precision) = (None, None, None);
    parse(query, |key, value| match key {
        "bucket" => set(&mut bucket, "bucket", Ok(value.to_owned())),
        "org" => set(&mut org, "org", Ok(())),
        "precision" => set(&mut precision, "precision", parse_precision(value, false)),
        _ => Ok(()),
    })
    .map_err(|error| format!("failed to deserialize org/bucket/precision in request: {error}"))?;
    Ok(Params {
        database: bucket.filter(|b| !b.is_empty()).ok_or("missing bucket value")?,
        precision: precision.unwrap_or(Precision::Nanosecond),
        accept_partial: false,
        no_sync: false,
    })
}

fn parse(
    query: &str,
    mut each: impl FnMut(&str, &str) -> Result<(), String>,
) -> Result<(), String> {
    form_urlencoded::parse(query.as_bytes()).try_for_each(|(key, value)| each(&key, &value))
}

fn set<T>(slot: &mut Option<T>, name: &str, value: Result<T, String>) -> Result<(), String> {
    if slot.is_some() {
        return Err(format!("duplicate field `{name}`"));
    }
    *slot = Some(value?);
    Ok(())
}

fn parse_precision(value: &str, auto: bool) -> Result<Precision, String> {
    match Precision::parse(value) {
        Some(Precision::Auto) if !auto => None,
        parsed => parsed,
    }
    .ok_or_else(|| {
        let auto = if auto { "`auto`, " } else { "" };
        format!("unknown variant `{value}`, expected one of {auto}{PRECISIONS}")
    })
}

fn parse_bool(value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| "provided string was not `true` or `false`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v3_defaults_and_strictness() {
        let params = v3(Some("db=a%2Fb&unknown=1")).unwrap();
        assert_eq!(params.database, "a/b");
        assert_eq!(params.precision, Precision::Auto);
        assert!(params.accept_partial && !params.no_sync);
        assert!(v3(Some("db=a&no_sync=true")).unwrap().no_sync);

        for (query, text) in [
            ("", "serde error: missing field `db`"),
            ("db=a&db=b", "serde error: duplicate field `db`"),
            ("db=a&accept_partial=1", "serde error: provided string was not `true` or `false`"),
            ("db=a&no_sync=TRUE", "serde error: provided string was not `true` or `false`"),
        ] {
            assert_eq!(v3(Some(query)).unwrap_err(), text, "{query}");
        }
        for bad in ["", "h", "m", "NS", "Auto"] {
            let error = v3(Some(&format!("db=a&precision={bad}"))).unwrap_err();
            assert!(error.contains("expected one of `auto`, `s`"), "{error}");
        }
    }

    #[test]
    fn v2_defaults_and_strictness() {
        let params = v2(Some("bucket=a&accept_partial=perhaps&no_sync=true")).unwrap();
        assert_eq!(params.precision, Precision::Nanosecond);
        assert!(!params.accept_partial && !params.no_sync);
        assert_eq!(v2(None).unwrap_err(), "no org/bucket destination provided");
        assert_eq!(v2(Some("org=x&bucket=")).unwrap_err(), "missing bucket value");
        assert!(v2(Some("bucket=a&precision=auto")).unwrap_err().contains("unknown variant"));
        assert!(v2(Some("bucket=a&bucket=b")).unwrap_err().ends_with("duplicate field `bucket`"));
    }
}
