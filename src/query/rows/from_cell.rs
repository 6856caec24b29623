//! Values as Rust types.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arrow_array::types::IntervalMonthDayNano;
use arrow_schema::Field;

use super::cell::{Cell, Mismatch};
use crate::query::time_units::{NANOS_PER_DAY, NANOS_PER_SECOND, nanoseconds, timestamp};
use crate::timestamp::time_text;
use crate::{Error, ErrorKind, Result, Timestamp};

/// What a value can be read as: see [`Row::get`](super::Row::get).
///
/// ```
/// use influxdb3_blocking::{FromCell, Result, Table};
///
/// /// The first value of a column, if there is one.
/// fn first<'a, T>(table: &'a Table, column: &str) -> Result<Option<T>>
/// where
///     T: FromCell<'a>,
/// {
///     table.values(column)?.next().transpose()
/// }
/// ```
pub trait FromCell<'a>: Sized + sealed::ReadCell<'a> {}

/// Seals [`FromCell`]: other crates cannot implement it.
pub(super) mod sealed {
    use super::{Cell, Cow, Mismatch, elements};

    pub trait ReadCell<'a>: Sized {
        /// The type as it is written in Rust, for errors.
        fn name() -> Cow<'static, str>;

        fn from_cell(cell: Cell<'a>) -> Result<Self, Mismatch>;

        /// A list of such values; for bytes there is a shorter way than one by one.
        fn vec_from_cell(cell: Cell<'a>) -> Result<Vec<Self>, Mismatch> {
            elements(cell)
        }
    }
}

/// A value of a column as a `T`.
///
/// # Errors
///
/// [`ErrorKind::Decode`], with the name of the column and its type.
pub(super) fn fit<'a, T: FromCell<'a>>(field: &Field, cell: Cell<'a>) -> Result<T> {
    T::from_cell(cell).map_err(|mismatch| misread(field, mismatch, &T::name()))
}

#[cold]
fn misread(field: &Field, mismatch: Mismatch, wanted: &str) -> Error {
    let (name, data_type) = (field.name(), field.data_type());
    let problem = mismatch.describe(wanted);
    Error::new(ErrorKind::Decode, format!("the column {name:?} ({data_type}) {problem}"))
}

macro_rules! from_cell {
    ($type:ty, $name:expr, $cell:ident => $read:expr) => {
        impl<'a> FromCell<'a> for $type {}
        impl<'a> sealed::ReadCell<'a> for $type {
            fn name() -> Cow<'static, str> {
                $name.into()
            }

            fn from_cell($cell: Cell<'a>) -> Result<Self, Mismatch> {
                $read
            }
        }
    };
}
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
pub(super) use from_cell;

macro_rules! integer_from_cell {
    ($read:ident: $($type:ident)*) => {
        $(from_cell!($type, stringify!($type), cell => $read(cell));)*
    };
}

integer_from_cell!(integer: i8 i16 i32 u16 u32);
integer_from_cell!(integer_or_nanoseconds: i64 u64 isize usize i128 u128);

impl FromCell<'_> for u8 {}
impl<'a> sealed::ReadCell<'a> for u8 {
    fn name() -> Cow<'static, str> {
        "u8".into()
    }

    fn from_cell(cell: Cell<'a>) -> Result<Self, Mismatch> {
        integer(cell)
    }

    fn vec_from_cell(cell: Cell<'a>) -> Result<Vec<Self>, Mismatch> {
        match cell {
            // The same bytes that `elements` would read one by one.
            Cell::Binary(bytes) => Ok(bytes.to_vec()),
            other => elements(other),
        }
    }
}

from_cell!(f64, "f64", cell => float(cell, f64::MANTISSA_DIGITS));

from_cell!(f32, "f32", cell => {
    if let Cell::Single(value) = cell {
        return Ok(value);
    }
    let double = float(cell, f32::MANTISSA_DIGITS)?;
    let single = double as Self;
    if single.is_infinite() && double.is_finite() {
        return Err(Mismatch::Value(double.to_string()));
    }
    Ok(single)
});

from_cell!(bool, "bool", cell => match cell {
    Cell::Bool(value) => Ok(value),
    other => other.mismatch(),
});

from_cell!(&'a str, "&str", cell => match cell {
    Cell::Text(text) => Ok(text),
    other => other.mismatch(),
});

from_cell!(char, "char", cell => match cell {
    Cell::Text(text) => {
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(char), None) => Ok(char),
            _ => Err(Mismatch::Value(format!("{text:?}"))),
        }
    }
    other => other.mismatch(),
});

from_cell!(Cow<'a, str>, "Cow<str>", cell => text(cell));
from_cell!(String, "String", cell => text(cell).map(Cow::into_owned));
from_cell!(Box<str>, "Box<str>", cell => text(cell).map(Into::into));
from_cell!(Arc<str>, "Arc<str>", cell => text(cell).map(Into::into));

from_cell!(&'a [u8], "&[u8]", cell => match cell {
    Cell::Binary(bytes) => Ok(bytes),
    other => other.mismatch(),
});

from_cell!(Timestamp, "Timestamp", cell => match cell {
    Cell::Time(value, unit) => Ok(timestamp(value, unit)),
    Cell::Date(millis) => Ok(Self::millis(millis)),
    Cell::Text(text) => time_text::parse(text).map_err(|_| Mismatch::Value(format!("{text:?}"))),
    other => other.mismatch(),
});

from_cell!(SystemTime, "SystemTime", cell => {
    let nanos = <Timestamp as sealed::ReadCell<'_>>::from_cell(cell)?.as_nanos();
    let distance = duration(nanos.unsigned_abs());
    let time = if nanos < 0 {
        Self::UNIX_EPOCH.checked_sub(distance)
    } else {
        Self::UNIX_EPOCH.checked_add(distance)
    };
    time.ok_or_else(|| Mismatch::Value(format!("{nanos} nanoseconds since 1970")))
});

from_cell!(Duration, "Duration", cell => {
    let nanos = match &cell {
        Cell::Duration(value, unit) | Cell::TimeOfDay(value, unit) => nanoseconds(*value, *unit),
        // Months differ in length, so that only an interval without them is a duration. Days do not: times are in UTC.
        Cell::Interval(IntervalMonthDayNano { months: 0, days, nanoseconds }) => {
            i128::from(*days) * NANOS_PER_DAY + i128::from(*nanoseconds)
        }
        Cell::Interval(_) => return Err(Mismatch::Value(format!("{cell:?}"))),
        other => return other.mismatch(),
    };
    match u128::try_from(nanos) {
        Ok(nanos) => Ok(duration(nanos)),
        Err(_) => Err(Mismatch::Value(format!("{cell:?}"))),
    }
});

from_cell!(IntervalMonthDayNano, "IntervalMonthDayNano", cell => match cell {
    Cell::Interval(interval) => Ok(interval),
    other => other.mismatch(),
});

impl<'a, T: FromCell<'a>> FromCell<'a> for Option<T> {}
impl<'a, T: FromCell<'a>> sealed::ReadCell<'a> for Option<T> {
    /// The name of what it holds, as only a value that is not null can be unfit.
    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn from_cell(cell: Cell<'a>) -> Result<Self, Mismatch> {
        match cell {
            Cell::Null => Ok(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

impl<'a, T: FromCell<'a>> FromCell<'a> for Vec<T> {}
impl<'a, T: FromCell<'a>> sealed::ReadCell<'a> for Vec<T> {
    fn name() -> Cow<'static, str> {
        format!("Vec<{}>", T::name()).into()
    }

    fn from_cell(cell: Cell<'a>) -> Result<Self, Mismatch> {
        T::vec_from_cell(cell)
    }
}

impl<'a, K: FromCell<'a> + Ord, V: FromCell<'a>> FromCell<'a> for BTreeMap<K, V> {}
impl<'a, K: FromCell<'a> + Ord, V: FromCell<'a>> sealed::ReadCell<'a> for BTreeMap<K, V> {
    fn name() -> Cow<'static, str> {
        format!("BTreeMap<{}, {}>", K::name(), V::name()).into()
    }

    fn from_cell(cell: Cell<'a>) -> Result<Self, Mismatch> {
        entries(cell)
    }
}

impl<'a, K, V, S> FromCell<'a> for HashMap<K, V, S>
where
    K: FromCell<'a> + Eq + Hash,
    V: FromCell<'a>,
    S: BuildHasher + Default,
{
}
impl<'a, K, V, S> sealed::ReadCell<'a> for HashMap<K, V, S>
where
    K: FromCell<'a> + Eq + Hash,
    V: FromCell<'a>,
    S: BuildHasher + Default,
{
    fn name() -> Cow<'static, str> {
        format!("HashMap<{}, {}>", K::name(), V::name()).into()
    }

    fn from_cell(cell: Cell<'a>) -> Result<Self, Mismatch> {
        entries(cell)
    }
}

/// An integer, or a decimal without a fraction, if the value fits `T`.
fn integer<T: TryFrom<i128>>(cell: Cell<'_>) -> Result<T, Mismatch> {
    let value = match &cell {
        Cell::Signed(value) => i128::from(*value),
        Cell::Unsigned(value) => i128::from(*value),
        Cell::Decimal(digits) => whole(digits).ok_or_else(|| Mismatch::Value(digits.clone()))?,
        other => return other.mismatch(),
    };
    value.try_into().map_err(|_| Mismatch::Value(format!("{cell:?}")))
}

/// An integer of 64 bits or more: also times, times of the day and durations, in nanoseconds.
fn integer_or_nanoseconds<T: TryFrom<i128>>(cell: Cell<'_>) -> Result<T, Mismatch> {
    let (Cell::Time(value, unit) | Cell::TimeOfDay(value, unit) | Cell::Duration(value, unit)) =
        cell
    else {
        return integer(cell);
    };
    let nanos = nanoseconds(value, unit);
    nanos.try_into().map_err(|_| Mismatch::Value(format!("{nanos} nanoseconds")))
}

/// The digits of a decimal as an integer; `None` if it has a fraction, or does not fit.
fn whole(digits: &str) -> Option<i128> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.bytes().all(|digit| digit == b'0') { whole.parse().ok() } else { None }
}

/// A number as a float. Integers only up to 2 to the power of `digits`, the size of the mantissa: up to there a float holds
/// each of them.
fn float(cell: Cell<'_>, digits: u32) -> Result<f64, Mismatch> {
    let value = match cell {
        Cell::Double(value) => return Ok(value),
        Cell::Single(value) => return Ok(value.into()),
        Cell::Decimal(text) => return text.parse().map_err(|_| Mismatch::Value(text)),
        Cell::Signed(value) => i128::from(value),
        Cell::Unsigned(value) => i128::from(value),
        other => return other.mismatch(),
    };
    if value.unsigned_abs() > 1 << digits {
        return Err(Mismatch::Value(value.to_string()));
    }
    Ok(value as f64)
}

/// Text, and what has a form in ISO 8601 or is a decimal.
fn text(cell: Cell<'_>) -> Result<Cow<'_, str>, Mismatch> {
    match &cell {
        Cell::Text(text) => Ok(Cow::Borrowed(text)),
        Cell::Time(..) | Cell::Date(_) | Cell::TimeOfDay(..) => {
            let text = cell.standard_text();
            text.map(Cow::Owned).ok_or_else(|| Mismatch::Value(format!("{cell:?}")))
        }
        other => match other.standard_text() {
            Some(text) => Ok(Cow::Owned(text)),
            None => other.mismatch(),
        },
    }
}

/// The values of a list, the entries of a map, or the bytes of binary.
fn elements<'a, T: sealed::ReadCell<'a>>(cell: Cell<'a>) -> Result<Vec<T>, Mismatch> {
    let element = |(place, cell)| {
        T::from_cell(cell).map_err(|mismatch| {
            let problem = mismatch.describe(&T::name());
            Mismatch::Inside(format!("its element {place} {problem}"))
        })
    };
    match cell {
        Cell::List(list) | Cell::Map(list) => list.cells().enumerate().map(element).collect(),
        Cell::Binary(bytes) => byte_cells(bytes).enumerate().map(element).collect(),
        other => other.mismatch(),
    }
}

/// The bytes of binary as numbers.
pub(super) fn byte_cells<'a>(bytes: &'a [u8]) -> impl ExactSizeIterator<Item = Cell<'a>> {
    bytes.iter().map(|byte| Cell::Unsigned((*byte).into()))
}

/// The entries of a map, or the fields of a struct by their names.
fn entries<'a, K, V, C>(cell: Cell<'a>) -> Result<C, Mismatch>
where
    K: FromCell<'a>,
    V: FromCell<'a>,
    C: FromIterator<(K, V)>,
{
    let entry = |key: Cell<'a>, value: Cell<'a>| {
        let shown = format!("{key:?}");
        let inside = |part: &str, mismatch: Mismatch, wanted: &str| {
            Mismatch::Inside(format!("its {part} {shown} {}", mismatch.describe(wanted)))
        };
        Ok((
            K::from_cell(key).map_err(|mismatch| inside("key", mismatch, &K::name()))?,
            V::from_cell(value).map_err(|mismatch| inside("value of", mismatch, &V::name()))?,
        ))
    };
    match cell {
        Cell::Map(entries) => entries
            .cells()
            .filter_map(|cell| match cell {
                Cell::Struct(pair) if pair.len() == 2 => Some(entry(pair.at(0).1, pair.at(1).1)),
                // The entries of Arrow's maps are structs of two fields.
                _ => None,
            })
            .collect(),
        Cell::Struct(row) => {
            row.cells().map(|(field, cell)| entry(Cell::Text(field.name()), cell)).collect()
        }
        other => other.mismatch(),
    }
}

/// At most the seconds of 64 bits.
fn duration(nanos: u128) -> Duration {
    const SECOND: u128 = NANOS_PER_SECOND.unsigned_abs();
    // What is converted here is at most the 64 bits of an Arrow column in seconds, so the default is never used. The rest is
    // below a second.
    Duration::new(u64::try_from(nanos / SECOND).unwrap_or(u64::MAX), (nanos % SECOND) as u32)
}
