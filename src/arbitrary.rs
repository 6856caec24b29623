//! Arbitrary points and line buffers, for programs that fuzz what they do with them.

use ::arbitrary::{Arbitrary, Result, Unstructured};

use crate::{FieldValue, Line, LineBuffer, Point, Precision, Timestamp};

/// Any point, also one that cannot be written: without fields, with empty or reserved names, with a time out of range.
///
/// ```
/// use arbitrary::{Arbitrary, Unstructured};
/// use influxdb3_blocking::{Point, Precision};
///
/// let mut drawn = Unstructured::new(b"whatever the fuzzer says");
/// let point = Point::arbitrary(&mut drawn)?;
/// if let Ok(line) = point.to_line_protocol(Precision::Nanosecond) {
///     assert!(!line.starts_with('#'));
/// }
/// # Ok::<(), arbitrary::Error>(())
/// ```
impl<'a> Arbitrary<'a> for Point {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut point = Self::new(text(u)?);
        for _ in 0..u.int_in_range(0..=4)? {
            point = point.tag(text(u)?, text(u)?);
        }
        for _ in 0..u.int_in_range(0..=5)? {
            point = point.field(text(u)?, u.arbitrary::<FieldValue<'_>>()?);
        }
        Ok(match u.arbitrary::<Option<Timestamp>>()? {
            Some(time) => point.time(time),
            None => point,
        })
    }
}

/// Any lines, in any precision. What is drawn and cannot be written is not there.
impl<'a> Arbitrary<'a> for LineBuffer {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut lines = Self::with_precision(u.arbitrary()?);
        while !u.is_empty() && u.arbitrary()? {
            // A line that fails half way is taken back.
            if let Ok(line) = lines.measurement(text(u)?) {
                arbitrary_columns(line, u)?;
            }
        }
        Ok(lines)
    }
}

impl<'a> Arbitrary<'a> for FieldValue<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=6)? {
            0 => Self::Float(u.arbitrary()?),
            1 => Self::Float32(u.arbitrary()?),
            2 => Self::Integer(u.arbitrary()?),
            3 => Self::Unsigned(u.arbitrary()?),
            4 => Self::Boolean(u.arbitrary()?),
            5 => Self::Text(text(u)?.into()),
            _ => Self::Null,
        })
    }
}

/// Any time that a constructor can make.
impl<'a> Arbitrary<'a> for Timestamp {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let number = u.arbitrary()?;
        Ok(match u.int_in_range(0..=3)? {
            0 => Self::nanos(number),
            1 => Self::micros(number),
            2 => Self::millis(number),
            _ => Self::seconds(number),
        })
    }
}

impl<'a> Arbitrary<'a> for Precision {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        const ALL: [Precision; 4] = [
            Precision::Nanosecond,
            Precision::Microsecond,
            Precision::Millisecond,
            Precision::Second,
        ];
        u.choose(&ALL).copied()
    }
}

/// Mostly a short one of printable ASCII, which all names can be made of, and else any.
fn text(u: &mut Unstructured<'_>) -> Result<String> {
    if u.ratio(1, 8)? {
        return u.arbitrary();
    }
    let length = u.int_in_range(0..=15)?;
    (0..length).map(|_| u.int_in_range(b' '..=b'~').map(char::from)).collect()
}

/// Draws columns until one is refused or there are enough.
fn arbitrary_columns<'a>(mut line: Line<'_>, u: &mut Unstructured<'a>) -> Result<()> {
    for _ in 0..u.int_in_range(0..=4)? {
        match line.tag(text(u)?, text(u)?) {
            Ok(next) => line = next,
            Err(_) => return Ok(()),
        }
    }
    for _ in 0..u.int_in_range(1..=5)? {
        match line.field(text(u)?, u.arbitrary::<FieldValue<'_>>()?) {
            Ok(next) => line = next,
            Err(_) => return Ok(()),
        }
    }
    let _ = match u.arbitrary::<Option<Timestamp>>()? {
        Some(time) => line.at(time),
        None => line.end(),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(seed: u64) -> Vec<u8> {
        let mut state = seed;
        let byte = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as u8
        };
        std::iter::repeat_with(byte).take(400).collect()
    }

    #[test]
    fn points_are_often_ones_that_can_be_written_and_often_not() {
        let written = (0..1_000)
            .filter_map(|seed| Point::arbitrary(&mut Unstructured::new(&bytes(seed))).ok())
            .filter(|point| point.to_line_protocol(Precision::Nanosecond).is_ok())
            .count();
        assert!((20..980).contains(&written), "{written} of 1000");
    }

    #[test]
    fn line_buffers_have_lines() {
        let lines: usize = (0..1_000)
            .filter_map(|seed| LineBuffer::arbitrary(&mut Unstructured::new(&bytes(seed))).ok())
            .map(|buffer| buffer.lines())
            .sum();
        assert!(lines > 100, "{lines} in 1000");
    }
}
