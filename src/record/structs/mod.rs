//! Anything that is `Serialize` is a record.

mod item_encoder;
mod item_serializer;
mod named_keys;
mod part_serializer;
mod time_parts;
mod value_serializer;

use std::fmt;

use serde_core::Serialize;

use self::item_encoder::ItemEncoder;
use super::{Lines, Record};
use crate::Result;
use crate::columns::{LayoutOptions, layout_options};

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
/// let time = SystemTime::now();
/// let items = [Home { room: "Kitchen", temp: 21.5, co: None, time }];
/// # let client = Client::builder().host("http://localhost:1").database("sensors").build()?;
/// let structs = Structs::new(&items).measurement("home").tags(["room"]);
/// let request = client.write(structs.time_key("time"));
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
///
/// # How keys are used
///
/// - The **measurement** is the name given here, or else the text at [`measurement_key`](Self::measurement_key), or at
///   `measurement`, or at `iox::measurement`.
/// - The **time** is what stands at [`time_key`](Self::time_key), or at `time` if there is one: a
///   [`Timestamp`](crate::Timestamp), a `SystemTime`, what the crates `chrono`, `jiff` and `time` serialize, text in
///   RFC 3339, or an integer in [`date_unit`](Self::date_unit). With a time key given, an item without a time is an
///   error.
/// - **Tags** are what stands at the keys listed in [`tags`](Self::tags). An item need not have all of them, but one that no item
///   of the call has is an error, as a typing error would be silent otherwise.
/// - **Fields** are all others, or those listed in [`fields`](Self::fields). Signed integers are integers, unsigned ones
///   unsigned integers, `char`s and unit variants of an enum are strings, times are strings in RFC 3339.
///
/// What the options call a column is a key here. Keys can be [left out](Self::exclude) and go by
/// [another name](Self::rename). A key of `tags`, `fields`, `exclude` or `rename` that no item of the call has is an error that
/// lists the keys there are.
///
/// `None`, `()`, NaN, infinities and empty tags are left out, and so are items without a field. What is nested is an
/// error that names its key, unless it is left out; `#[serde(flatten)]` makes one level of it.
///
/// The client's default tags are added where an item has none of that name.
#[must_use = "this is written by `client.write(…).send()`, or into a `LineBuffer` by `push_record`"]
pub struct Structs<I> {
    items: I,
    layout: LayoutOptions,
}

impl<I> Structs<I>
where
    I: IntoIterator,
    I::Item: Serialize,
{
    /// These items: a slice, a vector or anything else that can be iterated over.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    ///
    /// use influxdb3_blocking::{LineBuffer, Structs};
    ///
    /// let items = [3, 4].map(|n| BTreeMap::from([("n", n)]));
    /// let mut lines = LineBuffer::new();
    /// lines.push_record(Structs::new(&items).measurement("count"))?;
    /// assert_eq!(lines.as_bytes(), b"count n=3i\ncount n=4i\n");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn new(items: I) -> Self {
        Self { items, layout: LayoutOptions::default() }
    }

    layout_options!(
        layout,
        r#"# use influxdb3_blocking::{Precision, Structs};
# fn written(home: Structs<&[serde_json::Value]>) -> influxdb3_blocking::Result<String> {
#     let mut lines = influxdb3_blocking::LineBuffer::new();
#     lines.push_record(home)?;
#     Ok(String::from_utf8_lossy(lines.as_bytes()).into_owned())
# }
# let items = serde_json::json!(
#     {"time": 1, "measurement": "home", "room": "Kitchen", "temp": 21.5, "until": 2}
# );
# let items = &[items];
// time: 1, until: 2, measurement: home, room: Kitchen, temp: 21.5
let home = Structs::new(&items[..]);"#
    );

    /// The same as [`measurement_column`](Self::measurement_column).
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").build()?;
    /// use std::collections::BTreeMap;
    ///
    /// use influxdb3_blocking::Structs;
    ///
    /// // {"kind": "home", "temp": 21.5}
    /// let items = [BTreeMap::from([("kind", "home"), ("note", "warm")])];
    /// let structs = Structs::new(&items).measurement_key("kind");
    /// let request = client.write(structs);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn measurement_key(self, key: impl Into<String>) -> Self {
        self.measurement_column(key)
    }

    /// The same as [`timestamp_column`](Self::timestamp_column).
    ///
    /// ```
    /// use std::collections::BTreeMap;
    ///
    /// use influxdb3_blocking::{LineBuffer, Structs};
    ///
    /// let items = [BTreeMap::from([("n", 3), ("at", 1_641_024_000)])];
    /// let structs = Structs::new(&items).measurement("count").time_key("at");
    /// let mut lines = LineBuffer::new();
    /// lines.push_record(structs)?;
    /// assert_eq!(lines.as_bytes(), b"count n=3i 1641024000\n");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn time_key(self, key: impl Into<String>) -> Self {
        self.timestamp_column(key)
    }
}

impl<I> Record for Structs<I>
where
    I: IntoIterator,
    I::Item: Serialize,
{
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        let Self { items, layout } = self;
        let mut encoder = ItemEncoder::new(layout, lines)?;
        lines.push_all(items.into_iter(), |item, lines| encoder.encode(&item, lines))?;
        encoder.check_names()
    }
}

impl<I> fmt::Debug for Structs<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Structs").field("layout", &self.layout).finish_non_exhaustive()
    }
}
