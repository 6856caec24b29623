use arrow_schema::{DataType, Field};

/// What a column is in InfluxDB: the server says so in the schema of an answer.
///
/// ```no_run
/// use influxdb3_blocking::ColumnKind;
///
/// # fn main() -> Result<(), influxdb3_blocking::Error> {
/// # let client = influxdb3_blocking::Client::from_env()?;
/// let schema = client.query("SELECT * FROM home").schema()?;
/// let is_tag = |field: &&_| ColumnKind::of(field) == Some(ColumnKind::Tag);
/// let tags = schema.fields().iter().map(|field| &**field).filter(is_tag);
/// # let _: Vec<&influxdb3_blocking::arrow_schema::Field> = tags.collect();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ColumnKind {
    /// A tag.
    Tag,
    /// A field.
    Field,
    /// The time.
    Time,
}

impl ColumnKind {
    /// The kind of a column of an answer; `None` if the server does not send it, as for the results of functions.
    ///
    /// The server keeps the kind of a column when a query turns it into another type, a tag into a number for example. So a
    /// kind counts only together with a type that it can have.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use influxdb3_blocking::ColumnKind;
    ///
    /// let table = client.query("SELECT * FROM home").table()?;
    /// for field in table.schema().fields() {
    ///     println!("{}: {:?}", field.name(), ColumnKind::of(field));
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn of(field: &Field) -> Option<Self> {
        let kind = field.metadata().get("iox::column::type")?.strip_prefix("iox::column_type::")?;
        let data_type = field.data_type();
        match kind {
            "tag" if is_text(data_type) => Some(Self::Tag),
            "timestamp" if matches!(data_type, DataType::Timestamp(..)) => Some(Self::Time),
            "field::float" if data_type.is_floating() => Some(Self::Field),
            "field::integer" if data_type.is_signed_integer() => Some(Self::Field),
            "field::uinteger" if data_type.is_unsigned_integer() => Some(Self::Field),
            "field::string" if is_text(data_type) => Some(Self::Field),
            "field::boolean" if *data_type == DataType::Boolean => Some(Self::Field),
            _ => None,
        }
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_counts_only_with_its_type() {
        let kind = |data_type, kind: &str| {
            let metadata = [("iox::column::type".to_owned(), format!("iox::column_type::{kind}"))];
            ColumnKind::of(&Field::new("c", data_type, true).with_metadata(metadata.into()))
        };
        assert_eq!(kind(DataType::Utf8, "tag"), Some(ColumnKind::Tag));
        let dictionary = DataType::Dictionary(DataType::Int32.into(), DataType::Utf8.into());
        assert_eq!(kind(dictionary, "tag"), Some(ColumnKind::Tag));
        assert_eq!(kind(DataType::Int64, "tag"), None);
        assert_eq!(kind(DataType::Float64, "field::float"), Some(ColumnKind::Field));
        assert_eq!(kind(DataType::UInt64, "field::integer"), None);
        assert_eq!(kind(DataType::Utf8, "something::new"), None);
        assert_eq!(ColumnKind::of(&Field::new("c", DataType::Utf8, true)), None);
    }
}
