//! Times that are serialized in parts.

use crate::Timestamp;

/// The integers of a tuple or of `SystemTime`'s struct.
#[derive(Debug, Default)]
pub(super) struct TimeParts {
    parts: [i64; LONGEST],
    len: usize,
    /// Something among them that no time has.
    is_other: bool,
}

impl TimeParts {
    pub(super) fn push(&mut self, part: Option<i64>) {
        match (self.parts.get_mut(self.len), part) {
            (Some(place), Some(part)) => *place = part,
            _ => self.is_other = true,
        }
        self.len += 1;
    }

    /// `SystemTime`: seconds and nanoseconds since 1970.
    pub(super) fn system_time(&self) -> Option<Timestamp> {
        match self.parts {
            [seconds, nanos, ..] if self.len == 2 && !self.is_other => Some(at(seconds, nanos)),
            _ => None,
        }
    }

    /// `OffsetDateTime` and `PrimitiveDateTime` of the crate `time`: year, day of the year, hour, minute, second and
    /// nanosecond, and of the former the offset's hours, minutes and seconds.
    pub(super) fn date_time(&self) -> Option<Timestamp> {
        if self.is_other || !matches!(self.len, 6 | 9) {
            return None;
        }
        let [year, ordinal, hour, minute, second, nanos, offsets @ ..] = self.parts;
        let [offset_hours, offset_minutes, offset_seconds] = offsets;
        let is_date = (-999_999..=999_999).contains(&year) && (1..=366).contains(&ordinal);
        let is_clock =
            (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
        let is_offset = offsets.iter().all(|part| (-60..=60).contains(part));
        if !is_date || !is_clock || !is_offset || !(0..1_000_000_000).contains(&nanos) {
            return None;
        }
        let before = year - 1;
        let days = before * 365 + before.div_euclid(4) - before.div_euclid(100)
            + before.div_euclid(400)
            - DAYS_BEFORE_1970
            + ordinal
            - 1;
        let offset = offset_hours * 3600 + offset_minutes * 60 + offset_seconds;
        Some(at(days * 86_400 + hour * 3600 + minute * 60 + second - offset, nanos))
    }
}

fn at(seconds: i64, nanos: i64) -> Timestamp {
    Timestamp::from_nanos(i128::from(seconds) * 1_000_000_000 + i128::from(nanos))
}

const LONGEST: usize = 9;
/// From the first of January of the year 1.
const DAYS_BEFORE_1970: i64 = 719_162;
