//! Anything that is `Serialize` is a record.

mod part;
mod row;
mod scalar;
mod time_parts;

use std::fmt;

use serde_core::Serialize;

use super::{Lines, Record};
use crate::{Precision, Result};
use row::Row;

/// Items that are `Serialize` (structs, maps, and what is made of them), to be written: each one is a line.
///
/// The items go straight into line protocol; there is no tree of values in between.
///
/// ```
/// use std::time::SystemTime;
///
/// use influxdb3_blocking::{Client, Structs};
/// use serde_core::ser::{Serialize, SerializeStruct, Serializer};
///
/// struct Home {
///     room: &'static str,
///     temp: f64,
///     co: Option<i64>,
///     time: SystemTime,
/// }
/// # // What #[derive(Serialize)] makes.
/// # impl Serialize for Home {
/// #     fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
/// #         let mut fields = serializer.serialize_struct("Home", 4)?;
/// #         fields.serialize_field("room", &self.room)?;
/// #         fields.serialize_field("temp", &self.temp)?;
/// #         fields.serialize_field("co", &self.co)?;
/// #         fields.serialize_field("time", &self.time)?;
/// #         fields.end()
/// #     }
/// # }
///
/// let items = [Home { room: "Kitchen", temp: 21.5, co: None, time: SystemTime::now() }];
/// # let client = Client::builder().host("http://localhost:1").database("sensors").build()?;
/// let request = client.write(Structs::new(&items).measurement("home").tags(["room"]).time_key("time"));
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
///
/// # What becomes of a key
///
/// - The **measurement** is the name given here, or else the text at [`measurement_key`](Self::measurement_key), or at
///   `measurement`, or at `iox::measurement`. (With a name given, the latter two are left out, unless they are tags.)
/// - The **time** is what stands at [`time_key`](Self::time_key), or at `time` if there is one: a
///   [`Timestamp`](crate::Timestamp), a `SystemTime`, what the crates `chrono`, `jiff` and `time` serialize, text in
///   RFC 3339, or an integer in [`date_unit`](Self::date_unit). With a time key given, an item without a time is an
///   error.
/// - **Tags** are what stands at the keys listed in [`tags`](Self::tags). Items need not have all of them.
/// - **Fields** are all others, or those listed in [`fields`](Self::fields). Signed integers are integers, unsigned ones
///   unsigned integers, `char`s and unit variants of an enum are strings, times are strings in RFC 3339.
///
/// `None`, `()`, NaN, infinities and empty tags are left out, and so are items without a field. What is nested is an
/// error that names its key; `#[serde(flatten)]` makes one level of it.
///
/// The client's default tags are added where an item has none of that name.
#[must_use = "this is written by `client.write(…).send()`"]
pub struct Structs<I> {
    items: I,
    shape: Shape,
}

/// What the caller says about the keys.
#[derive(Clone, Debug, Default)]
struct Shape {
    measurement: Option<String>,
    measurement_key: Option<String>,
    tags: Vec<String>,
    fields: Option<Vec<String>>,
    time_key: Option<String>,
    date_unit: Option<Precision>,
}

impl<I> Structs<I>
where
    I: IntoIterator,
    I::Item: Serialize,
{
    /// These items: a slice, a vector or anything else that can be iterated over.
    pub fn new(items: I) -> Self {
        Self { items, shape: Shape::default() }
    }

    /// The measurement of all items.
    pub fn measurement(mut self, name: impl Into<String>) -> Self {
        self.shape.measurement = Some(name.into());
        self
    }

    /// The key at which each item names its measurement.
    pub fn measurement_key(mut self, key: impl Into<String>) -> Self {
        self.shape.measurement_key = Some(key.into());
        self
    }

    /// The keys of tags.
    pub fn tags(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.shape.tags = keys.into_iter().map(Into::into).collect();
        self
    }

    /// The keys of fields; all others are left out.
    pub fn fields(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.shape.fields = Some(keys.into_iter().map(Into::into).collect());
        self
    }

    /// The key of the time, `time` if this is not called.
    pub fn time_key(mut self, key: impl Into<String>) -> Self {
        self.shape.time_key = Some(key.into());
        self
    }

    /// The unit of times that are integers; the precision of the write if this is not called.
    pub fn date_unit(mut self, unit: Precision) -> Self {
        self.shape.date_unit = Some(unit);
        self
    }
}

impl<I> Record for Structs<I>
where
    I: IntoIterator,
    I::Item: Serialize,
{
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        let Self { items, shape } = self;
        let mut row = Row::new(shape, lines)?;
        lines.push_all(items.into_iter(), |item, lines| row.encode(&item, lines))
    }
}

impl<I> fmt::Debug for Structs<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Structs").field("shape", &self.shape).finish_non_exhaustive()
    }
}
