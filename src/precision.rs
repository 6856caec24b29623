use std::fmt;

/// The unit of the timestamps of a write.
///
/// ```
/// use influxdb3_blocking::Precision;
///
/// let precision: Precision = "ms".parse()?;
/// assert_eq!(precision, Precision::Millisecond);
/// assert_eq!(precision.long_name(), "millisecond");
/// assert_eq!(precision.nanos(), 1_000_000);
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[allow(clippy::exhaustive_enums)] // the server knows these four
pub enum Precision {
    /// Nanoseconds, the default.
    #[default]
    Nanosecond,
    /// Microseconds.
    Microsecond,
    /// Milliseconds.
    Millisecond,
    /// Seconds.
    Second,
}

impl Precision {
    /// The name that `/api/v2/write` documents: `ns`, `us`, `ms` or `s`.
    ///
    /// ```
    /// use influxdb3_blocking::Precision;
    ///
    /// let precision = Precision::Microsecond;
    /// let path = format!("/write?precision={}", precision.short_name());
    /// assert_eq!(path, "/write?precision=us");
    /// ```
    #[must_use]
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::Nanosecond => "ns",
            Self::Microsecond => "us",
            Self::Millisecond => "ms",
            Self::Second => "s",
        }
    }

    /// The name that `/api/v3/write_lp` documents: `nanosecond`, `microsecond`, `millisecond` or `second`.
    ///
    /// ```
    /// use influxdb3_blocking::Precision;
    ///
    /// assert_eq!(Precision::Nanosecond.long_name(), "nanosecond");
    /// assert_eq!(Precision::Second.long_name(), "second");
    /// ```
    #[must_use]
    pub const fn long_name(self) -> &'static str {
        match self {
            Self::Nanosecond => "nanosecond",
            Self::Microsecond => "microsecond",
            Self::Millisecond => "millisecond",
            Self::Second => "second",
        }
    }

    /// Nanoseconds in one unit.
    ///
    /// ```
    /// use influxdb3_blocking::Precision;
    ///
    /// let seconds = 1_641_024_000 * Precision::Second.nanos();
    /// let millis = seconds / Precision::Millisecond.nanos();
    /// assert_eq!(millis, 1_641_024_000_000);
    /// ```
    #[must_use]
    pub const fn nanos(self) -> i64 {
        match self {
            Self::Nanosecond => 1,
            Self::Microsecond => 1_000,
            Self::Millisecond => 1_000_000,
            Self::Second => 1_000_000_000,
        }
    }
}

/// Shows the short name.
impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short_name())
    }
}
