/// The language of a query.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// use influxdb3_blocking::Language;
///
/// let query = client.query("SELECT MEAN(temp) FROM home");
/// let table = query.language(Language::InfluxQl).table()?;
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Language {
    /// SQL.
    #[default]
    Sql,
    /// InfluxQL.
    InfluxQl,
}

impl Language {
    /// As the server calls it: the ticket's `query_type`, and the end of `/api/v3/query_…`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sql => "sql",
            Self::InfluxQl => "influxql",
        }
    }
}
