//! What can be written: the [`Record`] trait, and everything that is one.

#[cfg(feature = "arrow")]
mod arrow;
#[cfg(feature = "write")]
mod batch;
#[cfg(feature = "polars")]
mod frame;
#[cfg(feature = "write")]
mod json;
mod line_buffer;
mod lines;
mod point;
#[cfg_attr(not(feature = "write"), allow(dead_code))]
// the errors of a server are traced back by it
mod record_map;
mod seq;
#[cfg(feature = "write")]
mod stamped;
#[cfg(feature = "serde")]
mod structs;
mod text;

#[cfg(feature = "arrow")]
pub use arrow::Columns;
#[cfg(any(feature = "parquet", feature = "feather", feature = "orc"))]
pub(crate) use arrow::RecordBatchEncoder;
#[cfg(feature = "polars")]
pub use frame::Frame;
pub use lines::Lines;
#[cfg(feature = "write")]
pub(crate) use record_map::RecordMap;
pub use seq::{Iter, One, Seq};
#[cfg(feature = "write")]
pub(crate) use stamped::Stamped;
#[cfg(feature = "serde")]
pub use structs::Structs;

use crate::{Error, Precision, Result};

/// Something that can be written: text, points, or a type that a program encodes as points.
///
/// Records are line protocol text (`&str`, `String`, bytes), [`Point`](crate::Point),
/// [`LineBuffer`](crate::LineBuffer), a [`Batch`](crate::Batch) of an error, and vectors, arrays, slices
/// and iterators of records. A client writes them, and
/// [`LineBuffer::push_record`](crate::LineBuffer::push_record) takes them without one.
///
/// For a type of your own, encode the points that it stands for:
///
/// ```
/// use influxdb3_blocking::{Lines, Point, Record, Result};
///
/// struct Reading {
///     room: &'static str,
///     temp: f64,
/// }
///
/// impl Record for Reading {
///     fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
///         let point = Point::new("home").tag("room", self.room);
///         point.field("temp", self.temp).encode(lines)
///     }
/// }
/// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").build()?;
/// # let _ =
/// client.write(vec![
///     Reading { room: "Kitchen", temp: 21.5 },
///     Reading { room: "Bath", temp: 23.0 },
/// ])
/// # ; Ok::<_, influxdb3_blocking::Error>(())
/// ```
///
#[cfg_attr(
    feature = "derive",
    doc = r##"
A struct whose fields are the columns derives it (feature `derive`; the macro's own page lists the attributes):

```
use influxdb3_blocking::{Record, Timestamp};

#[derive(Record)]
#[influx(measurement = "home")]
struct Reading {
    #[influx(tag)]
    room: &'static str,
    temp: f64,
    hum: Option<f64>,
    #[influx(time)]
    at: Timestamp,
}
# let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").build()?;
# let _ =
client.write(vec![Reading {
    room: "Kitchen",
    temp: 21.5,
    hum: None,
    at: Timestamp::now(),
}])
# ; Ok::<_, influxdb3_blocking::Error>(())
```

A typing error is an error of the compiler, and names are checked there as well:

```compile_fail
#[derive(influxdb3_blocking::Record)]
struct Reading {
    #[influx(tags)]
    room: &'static str,
    temp: f64,
}
```

```compile_fail
#[derive(influxdb3_blocking::Record)]
struct Reading {
    #[influx(tag)] // a list is no text
    rooms: Vec<String>,
    temp: f64,
}
```
"##
)]
/// A `Result` is no record, so a forgotten `?` does not compile:
///
/// ```compile_fail
/// # let client = influxdb3_blocking::Client::from_env()?;
/// fn reading() -> Result<String, std::io::Error> {
///     std::fs::read_to_string("reading.lp")
/// }
/// client.write(reading()).send()?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// `K` distinguishes single records and collections of them; it is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written to InfluxDB",
    label = "not a record",
    note = "records are line protocol (`&str`, `String`, bytes), `Point`, `&LineBuffer`, `&Batch`, JSON objects, and slices, \
            vectors, arrays and iterators of records; with their features, `Columns`, `Frame` and `Structs`",
    note = "a `Result` is no record: is a `?` missing?"
)]
pub trait Record<K = One> {
    /// Appends the record to `lines`.
    ///
    /// ```
    /// use influxdb3_blocking::{LineBuffer, Lines, Point, Record, Result};
    ///
    /// struct Temp(f64);
    ///
    /// impl Record for Temp {
    ///     fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
    ///         Point::new("home").field("temp", self.0).encode(lines)
    ///     }
    /// }
    /// # let mut lines = LineBuffer::new();
    /// lines.push_record([Temp(21.5), Temp(22.0)])?;
    /// assert_eq!(lines.as_bytes(), b"home temp=21.5\nhome temp=22.0\n");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRecord`](crate::ErrorKind::InvalidRecord) if it cannot be written as line
    /// protocol. Nothing of the whole call is sent then. In a collection the error says which record it is, the first one
    /// being record 1.
    fn encode(self, lines: &mut Lines<'_>) -> Result<()>;

    /// The precision that the record's timestamps are in, if it is fixed.
    ///
    /// ```
    /// use influxdb3_blocking::{LineBuffer, Precision, Record};
    ///
    /// let lines = LineBuffer::with_precision(Precision::Second);
    /// assert_eq!(Record::precision(&&lines), Some(Precision::Second));
    /// assert_eq!(Record::precision(&"home temp=21.5"), None);
    /// ```
    fn precision(&self) -> Option<Precision> {
        None
    }

    /// The database that the record belongs to, if it is fixed and the request names none.
    ///
    /// ```
    /// use influxdb3_blocking::{Lines, Record, Result};
    ///
    /// /// Goes to a database of its own, whatever the client's is.
    /// struct Login(&'static str);
    ///
    /// impl Record for Login {
    ///     fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
    ///         format!("login,user={} n=1i", self.0).encode(lines)
    ///     }
    ///     fn database(&self) -> Option<String> {
    ///         Some("audit".into())
    ///     }
    /// }
    /// assert_eq!(Login("eve").database().as_deref(), Some("audit"));
    /// ```
    fn database(&self) -> Option<String> {
        None
    }

    /// The organization that the record belongs to, if it is fixed and the request names none.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// use influxdb3_blocking::Record;
    ///
    /// // What could not be sent stays with its organization.
    /// let request = client.write("home temp=21.5").organization("lab");
    /// if let Err(error) = request.send() {
    ///     for batch in error.unsent() {
    ///         assert_eq!(Record::organization(&batch).as_deref(), Some("lab"));
    ///     }
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    fn organization(&self) -> Option<String> {
        None
    }
}

/// Integers that are written already cannot change their unit.
fn check_precision(record: Precision, call: Precision) -> Result<()> {
    if record == call {
        return Ok(());
    }
    Err(Error::invalid_record(format!(
        "the record's timestamps are in {record} and the call's in {call}: write it in a call of its own, \
         or make both the same"
    )))
}
