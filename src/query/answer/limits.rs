use crate::{Error, ErrorKind, Result};

/// How large an answer may be; `None` is without a limit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AnswerLimits {
    pub(crate) rows: Option<u64>,
    pub(crate) bytes: Option<u64>,
}

impl AnswerLimits {
    /// # Errors
    ///
    /// Fails with [`ErrorKind::TooLarge`] if there are more rows.
    pub(crate) fn check_rows(self, rows: u64) -> Result<()> {
        check(self.rows, rows, "rows", "max_rows")
    }

    /// # Errors
    ///
    /// Fails with [`ErrorKind::TooLarge`] if there are more bytes.
    pub(crate) fn check_bytes(self, bytes: u64) -> Result<()> {
        check(self.bytes, bytes, "bytes", "max_bytes")
    }
}

fn check(limit: Option<u64>, count: u64, what: &str, setting: &str) -> Result<()> {
    match limit {
        Some(limit) if count > limit => Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "the answer has more than {limit} {what} ({setting}): raise it, select less, or take the answer bit by bit with a reader"
            ),
        )),
        _ => Ok(()),
    }
}
