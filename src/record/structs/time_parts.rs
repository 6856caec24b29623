//! Times that are serialized in parts, known by the types of the parts and not by their values.
//!
//! The crate `time` serializes a date with its time of day as a tuple of `i32, u16, u8, u8, u8, u32` (year, day of the
//! year, hour, minute, second, nanosecond), and a time with an offset with three `i8` behind these (hours, minutes,
//! seconds of the offset). The standard library serializes `SystemTime` as a struct of two fields, `u64` and `u32`.
//! So no array is ever taken for a time: its elements have one type.

use crate::Timestamp;
use crate::calendar::{days_of, seconds_of_clock};

/// One part: an integer and its type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TimePart {
    I8(i8),
    I32(i32),
    I64(i64),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    /// Something that no time has.
    Other,
}

/// The parts of a tuple or a struct, in order.
#[derive(Debug)]
pub(super) struct TimeParts {
    parts: [TimePart; LONGEST],
    count: usize,
}

impl Default for TimeParts {
    fn default() -> Self {
        Self { parts: [TimePart::Other; LONGEST], count: 0 }
    }
}

impl TimeParts {
    pub(super) fn push(&mut self, part: TimePart) {
        if let Some(place) = self.parts.get_mut(self.count) {
            *place = part;
        }
        self.count += 1;
    }

    /// The time that a `SystemTime` stands for: seconds and nanoseconds since 1970.
    pub(super) fn system_time(&self) -> Option<Timestamp> {
        match self.parts.get(..self.count)? {
            [TimePart::U64(seconds), TimePart::U32(nanos)] => Some(at((*seconds).into(), *nanos)),
            _ => None,
        }
    }

    /// The time that a [`Timestamp`] of this crate stands for: seconds and nanoseconds since 1970.
    pub(super) fn timestamp(&self) -> Option<Timestamp> {
        match self.parts.get(..self.count)? {
            [TimePart::I64(seconds), TimePart::U32(nanos)] => Some(at((*seconds).into(), *nanos)),
            _ => None,
        }
    }

    /// The time that a `PrimitiveDateTime`, a `UtcDateTime` or an `OffsetDateTime` of the crate `time` stands for.
    pub(super) fn date_time(&self) -> Option<Timestamp> {
        let (date_time, offset) = self.parts.get(..self.count)?.split_at_checked(6)?;
        let [
            TimePart::I32(year),
            TimePart::U16(ordinal),
            TimePart::U8(hour),
            TimePart::U8(minute),
            TimePart::U8(second),
            TimePart::U32(nanos),
        ] = *date_time
        else {
            return None;
        };
        let offset = match *offset {
            [] => 0,
            [TimePart::I8(hours), TimePart::I8(minutes), TimePart::I8(seconds)] => {
                i64::from(hours) * 3600 + i64::from(minutes) * 60 + i64::from(seconds)
            }
            _ => return None,
        };
        let is_valid = (1..=366).contains(&ordinal) && nanos < 1_000_000_000;
        let clock = seconds_of_clock(hour.into(), minute.into(), second.into())?;
        let days = days_of(year.into(), 1, 1) + i64::from(ordinal) - 1;
        is_valid.then(|| at(i128::from(days * 86_400 + clock - offset), nanos))
    }
}

fn at(seconds: i128, nanos: u32) -> Timestamp {
    Timestamp::from_nanos(seconds * 1_000_000_000 + i128::from(nanos))
}

/// Six parts of a date and a time of day, and three of an offset.
const LONGEST: usize = 9;
