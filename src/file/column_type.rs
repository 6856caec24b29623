//! What the values of a column are, where the file does not say.

/// The type of a column of CSV or JSON.
///
/// ```
/// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").build()?;
/// use influxdb3_blocking::ColumnType;
///
/// let file = client.write_file("home.csv").measurement("home");
/// // Article numbers, with zeros before them.
/// let request = file.column_type("article", ColumnType::Text);
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ColumnType {
    /// A signed integer of 64 bits.
    Integer,
    /// An unsigned integer of 64 bits.
    Unsigned,
    /// A number of double precision.
    Float,
    /// `true` or `false`, in any case.
    Boolean,
    /// A text.
    Text,
}

impl ColumnType {
    /// What a value of the type is, for errors.
    pub(super) fn value_name(self) -> &'static str {
        match self {
            Self::Integer => "an integer",
            Self::Unsigned => "an unsigned integer",
            Self::Float => "a number",
            Self::Boolean => "a boolean",
            Self::Text => "a text",
        }
    }
}
