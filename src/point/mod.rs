//! Points: one row each, built column by column in one buffer, and written as a line.

mod column;
mod entry_header;
mod head;
mod inline_list;
mod latest_columns;
mod line_buffer;
mod parse;
mod point_buffer;
mod point_line;

use std::fmt;
use std::str::FromStr;

use self::column::PointColumn;
use self::latest_columns::LatestColumns;
use self::point_buffer::PointBuffer;
use crate::line_protocol::encoder::{self, Encoded};
use crate::line_protocol::{FieldValue, TagRules, TagValue};
use crate::{Error, Precision, Result, Timestamp};

/// One row: a measurement, tags, fields and a time.
///
/// ```
/// use influxdb3_blocking::{Point, Precision, Timestamp};
///
/// let point = Point::new("home")
///     .tag("room", "Living Room")
///     .field("temp", 21.5)
///     .field("co", 4)
///     .time(Timestamp::seconds(1_641_024_000));
/// assert_eq!(
///     point.to_line_protocol(Precision::Second)?,
///     r"home,room=Living\ Room temp=21.5,co=4i 1641024000"
/// );
/// # Ok::<(), influxdb3_blocking::Error>(())
/// ```
///
/// Nothing is checked while a point is made. When it is encoded:
///
/// - **Of equal keys the last one counts**, for tags and for fields.
/// - **Left out** are tags with an empty value, and fields that are NaN, infinite or `None`; as these count like any
///   other value, they take away what was set before. A point without a time gets one from the server, or
///   from a batching client.
/// - **Refused** is what the server cannot read back or would take for something else: an empty name; a newline or a
///   tab anywhere but in the text of a field; a backslash at the end of a name or of a tag value; a NUL or a leading
///   `#` in a measurement; control characters in keys; the keys `time` and `__chunk_order`; one key for a tag and
///   a field; no field at all; a time outside of the years 1677 to 2262. Everything else is escaped, so that
///   the server returns it as it was given.
///
/// Tags are written sorted by key (or as the client's `tag_order` says), fields in the order in which they were added.
#[derive(Clone)]
pub struct Point {
    columns: PointBuffer,
}

impl Point {
    /// A point without tags, fields and time.
    ///
    /// ```
    /// use influxdb3_blocking::Point;
    ///
    /// let point = Point::new("living room").field("temp", 21.5);
    /// assert_eq!(point.to_string(), r"living\ room temp=21.5");
    /// ```
    #[must_use]
    pub fn new(measurement: impl AsRef<str>) -> Self {
        Self { columns: PointBuffer::new(measurement.as_ref()) }
    }

    /// Sets a tag. An empty value and `None` take the tag away.
    ///
    /// ```
    /// use influxdb3_blocking::Point;
    ///
    /// let point = Point::new("home")
    ///     .tag("room", "Kitchen")
    ///     .tag("room", "Bath")
    ///     .tag("floor", "");
    /// assert_eq!(point.tags().collect::<Vec<_>>(), [("room", "Bath")]);
    /// ```
    #[inline]
    #[must_use]
    pub fn tag<K>(mut self, key: impl AsRef<str>, value: impl TagValue<K>) -> Self {
        self.set_tag(key, value);
        self
    }

    /// Sets several tags, as [`tag`](Self::tag) does.
    ///
    /// ```
    /// use influxdb3_blocking::Point;
    ///
    /// let point = Point::new("home").with_tags([("room", "Kitchen"), ("floor", "1")]);
    /// let tags: Vec<_> = point.tags().collect();
    /// assert_eq!(tags, [("floor", "1"), ("room", "Kitchen")]);
    /// ```
    #[must_use]
    pub fn with_tags<K>(
        mut self,
        tags: impl IntoIterator<Item = (impl AsRef<str>, impl TagValue<K>)>,
    ) -> Self {
        for (key, value) in tags {
            self.set_tag(key, value);
        }
        self
    }

    /// Sets a field. `None`, NaN and infinities take the field away.
    ///
    /// ```
    /// use influxdb3_blocking::{Point, Precision};
    ///
    /// let pressure: Option<f64> = None;
    /// let point = Point::new("home")
    ///     .field("temp", 21.5)
    ///     .field("text", "fine")
    ///     .field("pressure", pressure);
    /// let line = point.to_line_protocol(Precision::Nanosecond)?;
    /// assert_eq!(line, r#"home temp=21.5,text="fine""#);
    /// # Ok::<(), influxdb3_blocking::Error>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn field<'v>(mut self, key: impl AsRef<str>, value: impl Into<FieldValue<'v>>) -> Self {
        self.set_field(key, value);
        self
    }

    /// Sets several fields, as [`field`](Self::field) does.
    ///
    /// ```
    /// use influxdb3_blocking::{Point, Precision};
    ///
    /// let fields = [("temp", Some(21.5)), ("hum", None), ("co", Some(4.0))];
    /// let point = Point::new("home").with_fields(fields);
    /// let line = point.to_line_protocol(Precision::Nanosecond)?;
    /// assert_eq!(line, "home temp=21.5,co=4.0");
    /// # Ok::<(), influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn with_fields<'v>(
        mut self,
        fields: impl IntoIterator<Item = (impl AsRef<str>, impl Into<FieldValue<'v>>)>,
    ) -> Self {
        for (key, value) in fields {
            self.set_field(key, value);
        }
        self
    }

    /// Sets the time.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use influxdb3_blocking::{Point, Timestamp};
    ///
    /// let now = Point::new("home").field("temp", 21.5).time(SystemTime::now());
    /// assert!(now.timestamp() > Some(Timestamp::seconds(1_700_000_000)));
    /// ```
    #[inline]
    #[must_use]
    pub fn time(mut self, time: impl Into<Timestamp>) -> Self {
        self.set_time(time);
        self
    }

    /// Sets a tag of a point that stays where it is, as [`tag`](Self::tag) does.
    ///
    /// ```
    /// use influxdb3_blocking::{Point, Precision};
    ///
    /// let mut point = Point::new("home");
    /// point.set_tag("room", "Kitchen");
    /// for (number, volts) in [1.5, 1.25].into_iter().enumerate() {
    ///     point.set_field(format!("cell{number}"), volts);
    /// }
    /// let line = point.to_line_protocol(Precision::Nanosecond)?;
    /// assert_eq!(line, "home,room=Kitchen cell0=1.5,cell1=1.25");
    /// # Ok::<(), influxdb3_blocking::Error>(())
    /// ```
    #[inline]
    pub fn set_tag<K>(&mut self, key: impl AsRef<str>, value: impl TagValue<K>) -> &mut Self {
        self.columns.push_tag(key.as_ref(), value.as_text().unwrap_or_default());
        self
    }

    /// Sets a field of a point that stays where it is, as [`field`](Self::field) does.
    ///
    /// ```
    /// use influxdb3_blocking::Point;
    ///
    /// let mut point = Point::new("count");
    /// for n in [1, 2] {
    ///     point.set_field("n", n); // the last value counts
    /// }
    /// assert_eq!(point.to_string(), "count n=2i");
    /// ```
    #[inline]
    pub fn set_field<'v>(
        &mut self,
        key: impl AsRef<str>,
        value: impl Into<FieldValue<'v>>,
    ) -> &mut Self {
        self.columns.push_field(key.as_ref(), &value.into());
        self
    }

    /// Sets the time of a point that stays where it is, as [`time`](Self::time) does.
    ///
    /// ```
    /// use influxdb3_blocking::{Point, Timestamp};
    ///
    /// let mut point = Point::new("home").field("temp", 21.5);
    /// if point.timestamp().is_none() {
    ///     point.set_time(Timestamp::seconds(1_641_024_000));
    /// }
    /// assert_eq!(point.to_string(), "home temp=21.5 1641024000000000000");
    /// ```
    #[inline]
    pub fn set_time(&mut self, time: impl Into<Timestamp>) -> &mut Self {
        self.columns.set_time(time.into());
        self
    }

    /// Reads one line of line protocol whose timestamp is in this precision.
    ///
    /// The rules are those of the server's parser: a line that it refuses is refused here, and so is what it takes and
    /// what does harm or cannot be written again (a key that is there twice, reserved keys, control characters in keys, a float
    /// beyond 64 bits). Writing the point gives the same tags, fields and time. The line may end in a newline.
    ///
    /// ```
    /// use influxdb3_blocking::{FieldValue, Point, Precision, Timestamp};
    ///
    /// let line = r"home,room=Living\ Room temp=21.5,co=4i 1641024000";
    /// let point = Point::from_line_protocol(line, Precision::Second)?;
    /// assert_eq!(point.tags().collect::<Vec<_>>(), [("room", "Living Room")]);
    /// assert_eq!(point.fields().last(), Some(("co", FieldValue::Integer(4))));
    /// assert_eq!(point.timestamp(), Some(Timestamp::seconds(1_641_024_000)));
    /// assert_eq!(point.to_line_protocol(Precision::Second)?, line);
    /// # Ok::<(), influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) for what is refused, with the byte at which the line cannot be
    /// read, and for a text that is not exactly one line.
    pub fn from_line_protocol(line: &str, precision: Precision) -> Result<Self> {
        Ok(Self { columns: parse::point(line, precision)? })
    }

    /// The measurement.
    ///
    /// ```
    /// use influxdb3_blocking::Point;
    ///
    /// let point: Point = r"living\ room temp=21.5".parse()?;
    /// assert_eq!(point.measurement(), "living room");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn measurement(&self) -> &str {
        self.columns.measurement()
    }

    /// The tags that have a value, sorted by key.
    ///
    /// ```
    /// use influxdb3_blocking::Point;
    ///
    /// let point: Point = "home,room=Kitchen,floor=1 temp=21.5".parse()?;
    /// let mut tags = point.tags();
    /// assert_eq!(tags.next(), Some(("floor", "1")));
    /// assert_eq!(tags.next(), Some(("room", "Kitchen")));
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut places = LatestColumns::of(&self.columns).tags;
        let at = |place: usize| self.columns.column_at(place);
        places.as_mut_slice().sort_unstable_by_key(|&place| at(place).map(|tag| tag.key_bytes()));
        let columns = (0..).map_while(move |number| at(*places.as_slice().get(number)?));
        columns.filter(PointColumn::is_written).map(|tag| (tag.key(), tag.tag_value()))
    }

    /// The fields that have a value, NaN and infinities among them, in the order in which they were added.
    ///
    /// ```
    /// use influxdb3_blocking::{FieldValue, Point};
    ///
    /// let point = Point::new("home").field("temp", 21.5).field("co", 4);
    /// let fields: Vec<_> = point.fields().collect();
    /// assert_eq!(fields[0], ("temp", FieldValue::Float(21.5)));
    /// assert_eq!(fields[1], ("co", FieldValue::Integer(4)));
    /// ```
    pub fn fields(&self) -> impl Iterator<Item = (&str, FieldValue<'_>)> {
        let places = LatestColumns::of(&self.columns).fields;
        let columns =
            (0..).map_while(move |number| self.columns.column_at(*places.as_slice().get(number)?));
        let fields = columns.map(|field| (field.key(), field.field_value()));
        fields.filter(|(_, value)| *value != FieldValue::Null)
    }

    /// The time, if it is set.
    ///
    /// ```
    /// use influxdb3_blocking::{Point, Timestamp};
    ///
    /// let point: Point = "home temp=21.5 1641024000000000000".parse()?;
    /// assert_eq!(point.timestamp(), Some(Timestamp::seconds(1_641_024_000)));
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.columns.time()
    }

    /// The line of this point, without a newline at its end.
    ///
    /// ```
    /// use influxdb3_blocking::{Point, Precision};
    ///
    /// let point = Point::new("home").tag("room", "a b").field("text", "x\"y");
    /// let line = point.to_line_protocol(Precision::Second)?;
    /// assert_eq!(line, r#"home,room=a\ b text="x\"y""#);
    ///
    /// let wrong = Point::new("home").tag("room", "a\nb").field("n", 1);
    /// assert!(wrong.to_line_protocol(Precision::Second).is_err());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) for what is refused (see [`Point`]).
    pub fn to_line_protocol(&self, precision: Precision) -> Result<String> {
        let mut line = Vec::new();
        self.write_line_protocol(precision, &mut line)?;
        line.pop();
        String::from_utf8(line).map_err(|error| {
            Error::new(crate::ErrorKind::Internal, "a line is not UTF-8").with_source(error)
        })
    }

    /// Appends the line of this point and a newline. After an error the buffer is as it was.
    ///
    /// ```
    /// use influxdb3_blocking::{Point, Precision};
    ///
    /// let mut lines = Vec::new();
    /// let point = Point::new("home").field("temp", 21.5);
    /// point.write_line_protocol(Precision::Second, &mut lines)?;
    /// let wrong = Point::new("home").field("time", 1);
    /// assert!(wrong.write_line_protocol(Precision::Second, &mut lines).is_err());
    /// assert_eq!(lines, b"home temp=21.5\n");
    /// # Ok::<(), influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) for what is refused (see [`Point`]).
    pub fn write_line_protocol(&self, precision: Precision, out: &mut Vec<u8>) -> Result<()> {
        match self.encode(precision, TagRules::NONE, out)? {
            Encoded::Line => Ok(()),
            Encoded::NoFields => {
                Err(encoder::of_measurement(encoder::no_fields(), self.measurement()))
            }
        }
    }

    /// Appends the line of this point and a newline, with default tags and in an order of tags.
    ///
    /// After an error, and if no field is left to write, the buffer is as it was.
    #[inline]
    pub(crate) fn encode(
        &self,
        precision: Precision,
        rules: &TagRules,
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        point_line::encode(&self.columns, precision, rules, out)
    }
}

/// Equal points have the same measurement, the same tags and fields, each in any order, and the same time; a point with a
/// NaN equals no other.
impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        fn sorted(point: &Point) -> Vec<(&str, FieldValue<'_>)> {
            let mut fields: Vec<_> = point.fields().collect();
            fields.sort_unstable_by_key(|(key, _)| *key); // each is there once
            fields
        }
        self.measurement() == other.measurement()
            && self.timestamp() == other.timestamp()
            && self.tags().eq(other.tags())
            && (self.fields().eq(other.fields()) || sorted(self) == sorted(other))
    }
}

/// The line of the point, with its time in nanoseconds. A point that cannot be written shows why, in angle brackets.
///
/// ```
/// use influxdb3_blocking::{Point, Timestamp};
///
/// let point = Point::new("home").field("temp", 21.5).time(Timestamp::seconds(1));
/// assert_eq!(point.to_string(), "home temp=21.5 1000000000");
/// assert_eq!(
///     Point::new("home").to_string(),
///     "<measurement \"home\": no field is left to write (nulls, NaN and \
///      infinities are left out): give it at least one field>"
/// );
/// ```
impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_line_protocol(Precision::Nanosecond) {
            Ok(line) => f.write_str(&line),
            Err(error) => write!(f, "<{}>", error.message()),
        }
    }
}

/// Reads one line, with its timestamp in nanoseconds: [`Point::from_line_protocol`].
impl FromStr for Point {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self> {
        Self::from_line_protocol(line, Precision::Nanosecond)
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Point")
            .field("measurement", &self.measurement())
            .field("tags", &Map(|| self.tags()))
            .field("fields", &Map(|| self.fields()))
            .field("time", &self.timestamp())
            .finish()
    }
}

/// Shows pairs as a map.
struct Map<F>(F);

impl<K: fmt::Debug, V: fmt::Debug, I: Iterator<Item = (K, V)>, F: Fn() -> I> fmt::Debug for Map<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0()).finish()
    }
}
