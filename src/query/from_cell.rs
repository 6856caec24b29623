//! Values as Rust types.

use std::time::{Duration, SystemTime};

use arrow_schema::TimeUnit;

use super::cell::{Cell, nanoseconds};
use super::to_point::timestamp as to_timestamp;
use crate::Timestamp;

/// What a value can be read as: see [`Row::get`](super::Row::get).
pub trait FromCell<'a>: Sized + sealed::FromCell<'a> {}

pub(super) mod sealed {
    use super::{Cell, Misfit};

    pub trait FromCell<'a>: Sized {
        const NAME: &'static str;
        fn from_cell(cell: Cell<'a>) -> Result<Self, Misfit>;
    }
}

/// Why a value is not what was asked for.
#[derive(Debug)]
pub enum Misfit {
    Null,
    Type,
    Value(String),
}

macro_rules! from_cell {
    ($type:ty, $name:expr, $cell:ident => $read:expr) => {
        impl<'a> FromCell<'a> for $type {}
        impl<'a> sealed::FromCell<'a> for $type {
            const NAME: &'static str = $name;

            fn from_cell($cell: Cell<'a>) -> Result<Self, Misfit> {
                $read
            }
        }
    };
}

macro_rules! integer_from_cell {
    ($($type:ident)*) => {
        $(from_cell!($type, stringify!($type), cell => match cell {
            Cell::Signed(value) => value.try_into().map_err(|_| Misfit::Value(value.to_string())),
            Cell::Unsigned(value) => value.try_into().map_err(|_| Misfit::Value(value.to_string())),
            other => other.misfit(),
        });)*
    };
}

integer_from_cell!(i8 i16 i32 u8 u16 u32 u64 isize usize);

from_cell!(i64, "i64", cell => match cell {
    Cell::Signed(value) => Ok(value),
    Cell::Unsigned(value) => value.try_into().map_err(|_| Misfit::Value(value.to_string())),
    Cell::Time(value, unit) => value
        .checked_mul(nanoseconds(unit))
        .ok_or_else(|| Misfit::Value(format!("{value} {unit:?}s since 1970"))),
    other => other.misfit(),
});

from_cell!(f64, "f64", cell => match cell {
    Cell::Float(value) => Ok(value),
    Cell::Signed(value) if value.unsigned_abs() <= EXACT => Ok(value as Self),
    Cell::Unsigned(value) if value <= EXACT => Ok(value as Self),
    Cell::Signed(value) => Err(Misfit::Value(value.to_string())),
    Cell::Unsigned(value) => Err(Misfit::Value(value.to_string())),
    Cell::Decimal(value) => value.parse().map_err(|_| Misfit::Value(value)),
    other => other.misfit(),
});

from_cell!(f32, "f32", cell => {
    let double = <f64 as sealed::FromCell<'_>>::from_cell(cell)?;
    let single = double as Self;
    if single.is_infinite() && double.is_finite() {
        return Err(Misfit::Value(double.to_string()));
    }
    Ok(single)
});

from_cell!(bool, "bool", cell => match cell {
    Cell::Bool(value) => Ok(value),
    other => other.misfit(),
});

from_cell!(&'a str, "&str", cell => match cell {
    Cell::Text(text) => Ok(text),
    other => other.misfit(),
});

from_cell!(String, "String", cell => match cell {
    Cell::Text(text) => Ok(text.to_owned()),
    Cell::Decimal(text) => Ok(text),
    other => other.misfit(),
});

from_cell!(&'a [u8], "&[u8]", cell => match cell {
    Cell::Binary(bytes) => Ok(bytes),
    other => other.misfit(),
});

from_cell!(Vec<u8>, "Vec<u8>", cell => match cell {
    Cell::Binary(bytes) => Ok(bytes.to_vec()),
    other => other.misfit(),
});

from_cell!(Timestamp, "Timestamp", cell => match cell {
    Cell::Time(value, unit) => Ok(to_timestamp(value, unit)),
    // Days are 32 bits.
    Cell::Days(value) => Ok(Self::seconds(value * 86_400)),
    other => other.misfit(),
});

from_cell!(SystemTime, "SystemTime", cell => {
    let (value, scale) = match cell {
        Cell::Time(value, unit) => (value, nanoseconds(unit).into()),
        Cell::Days(value) => (value, 86_400 * i128::from(nanoseconds(TimeUnit::Second))),
        other => return other.misfit(),
    };
    let nanos = i128::from(value) * scale;
    let distance = to_duration(nanos.unsigned_abs());
    let time = if nanos < 0 {
        Self::UNIX_EPOCH.checked_sub(distance)
    } else {
        Self::UNIX_EPOCH.checked_add(distance)
    };
    time.ok_or_else(|| Misfit::Value(format!("{nanos} nanoseconds since 1970")))
});

from_cell!(Duration, "Duration", cell => match cell {
    Cell::Duration(value, unit) if value >= 0 => {
        Ok(to_duration(value.unsigned_abs() as u128 * nanoseconds(unit).unsigned_abs() as u128))
    }
    Cell::Duration(value, unit) => Err(Misfit::Value(format!("{value} {unit:?}s"))),
    other => other.misfit(),
});

impl<'a, T: FromCell<'a>> FromCell<'a> for Option<T> {}
impl<'a, T: FromCell<'a>> sealed::FromCell<'a> for Option<T> {
    const NAME: &'static str = T::NAME;

    fn from_cell(cell: Cell<'a>) -> Result<Self, Misfit> {
        match cell {
            Cell::Null => Ok(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

/// Integers up to here are exact as `f64`.
const EXACT: u64 = 1 << 53;

fn to_duration(nanos: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    // 64 bits of milliseconds or days stay far below 64 bits of seconds; the rest is below a second.
    Duration::new(u64::try_from(nanos / SECOND).unwrap_or(u64::MAX), (nanos % SECOND) as u32)
}
