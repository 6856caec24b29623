//! Numbers in line protocol: the shortest text that is read back as the same value.
//!
//! Integers, and floats that are decimals of a few places, become digits in registers and are stored at once. For such
//! floats that takes half the time of `zmij`, which writes into a buffer of its own that is then copied; it does the rest.

use crate::line_protocol::words::{append, append_word};

/// Appends a finite number; line protocol has no others.
///
/// The text is that of `zmij`, which prints `1.0`, `1e+21` and `5e-324`: the server reads digits, optionally a point
/// and digits, optionally an exponent.
pub(crate) fn float(out: &mut Vec<u8>, value: f64) {
    debug_assert!(value.is_finite());
    match Decimal::of(value) {
        Some(decimal) => decimal.append(out, value.is_sign_negative()),
        None => any_float(out, value),
    }
}

/// Appends a finite number of single precision in its own shortest form: `0.1`, not `0.10000000149011612`.
pub(crate) fn float32(out: &mut Vec<u8>, value: f32) {
    debug_assert!(value.is_finite());
    append(out, zmij::Buffer::new().format_finite(value).as_bytes());
}

pub(crate) fn integer(out: &mut Vec<u8>, value: i64) {
    plain_integer(out, value);
    out.push(b'i');
}

pub(crate) fn unsigned(out: &mut Vec<u8>, value: u64) {
    digits(out, value);
    out.push(b'u');
}

pub(crate) fn boolean(out: &mut Vec<u8>, value: bool) {
    let text: &[u8] = if value { b"true" } else { b"false" };
    out.extend_from_slice(text);
}

/// Appends a number without a suffix, as timestamps are.
pub(crate) fn plain_integer(out: &mut Vec<u8>, value: i64) {
    if value.is_negative() {
        out.push(b'-');
    }
    digits(out, value.unsigned_abs());
}

/// A number of at most seven digits before the point and eight behind it, 15 in all, as a multiple of 10⁻⁸.
struct Decimal(u64);

impl Decimal {
    /// The decimal that is read back as this number, if there is one and it is the shortest.
    ///
    /// It is the shortest: of two decimals of up to 15 digits each is a different `f64`, so that there is no other one
    /// that short. And it is read back as this number: a quotient of two integers that are exact is rounded once, as
    /// reading it is.
    #[inline(always)]
    fn of(value: f64) -> Option<Self> {
        let value = value.abs();
        // Below 2⁵² the sum has no room for a fraction: it is rounded, and its lowest bits are an integer.
        let sum = value * SCALE + TWO_TO_52;
        let rounded = sum - TWO_TO_52;
        // Smaller ones than these are written with an exponent.
        let is_plain = (1e-5..1e7).contains(&value) || value == 0.0;
        (is_plain && rounded / SCALE == value).then(|| Self(sum.to_bits() & (TWO_TO_52 as u64 - 1)))
    }

    #[inline(always)]
    fn append(self, out: &mut Vec<u8>, is_negative: bool) {
        if is_negative {
            out.push(b'-');
        }
        let (whole, fraction) = (self.0 / TEN_TO_8, self.0 % TEN_TO_8);
        let (whole, length) = without_leading_zeros(eight_digits(whole));
        let fraction = eight_digits(fraction);
        let fraction_length = 8 - (fraction | 1).leading_zeros() / 8; // at least one
        let fraction = u128::from(fraction | ZEROS) << 8 | u128::from(b'.');
        let text = u128::from(whole) | fraction << (8 * length);
        append_word(out, text, (length + 1 + fraction_length) as usize);
    }
}

#[inline(never)]
fn any_float(out: &mut Vec<u8>, value: f64) {
    append(out, zmij::Buffer::new().format_finite(value).as_bytes());
}

#[inline(always)]
fn digits(out: &mut Vec<u8>, value: u64) {
    let (high, low) = (value / TEN_TO_8, value % TEN_TO_8);
    if high == 0 {
        let (digits, length) = without_leading_zeros(eight_digits(low));
        return append_word(out, digits.into(), length as usize);
    }
    let (top, high) = (high / TEN_TO_8, high % TEN_TO_8);
    let low = u128::from(eight_digits(low) | ZEROS);
    if top == 0 {
        let (digits, length) = without_leading_zeros(eight_digits(high));
        let text = u128::from(digits) | low << (8 * length);
        return append_word(out, text, length as usize + 8);
    }
    let (digits, length) = without_leading_zeros(eight_digits(top));
    append_word(out, digits.into(), length as usize);
    append_word(out, u128::from(eight_digits(high) | ZEROS) | low << 64, 16);
}

/// The digits, without the zeros before them but with at least one, from the lowest byte on, and how many they are.
#[inline(always)]
fn without_leading_zeros(digits: u64) -> (u64, u32) {
    let zeros = (digits | 1 << 56).trailing_zeros() / 8;
    ((digits | ZEROS) >> (8 * zeros), 8 - zeros)
}

/// The digits of a number below 10⁸, one a byte, the first one lowest.
///
/// Each step halves all parts at once, as a number below 10⁴ divided by 100 is its product with 10486, divided by 2²⁰,
/// and one below 100 divided by 10 its product with 103, divided by 2¹⁰.
#[inline(always)]
fn eight_digits(number: u64) -> u64 {
    let high = number / 10_000;
    let fours = high | (number - high * 10_000) << 32;
    let high = (fours * 10_486) >> 20 & 0x0000_007f_0000_007f;
    let twos = high | (fours - high * 100) << 16;
    let high = (twos * 103) >> 10 & 0x000f_000f_000f_000f;
    high | (twos - high * 10) << 8
}

const TWO_TO_52: f64 = (1u64 << 52) as f64;
const TEN_TO_8: u64 = 100_000_000;
const SCALE: f64 = TEN_TO_8 as f64;
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: f64) {
        let mut out = Vec::new();
        float(&mut out, value);
        let expected = zmij::Buffer::new().format_finite(value).to_owned();
        assert_eq!(std::str::from_utf8(&out), Ok(&*expected));
        assert_eq!(expected.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()));
    }

    fn mix(number: u64) -> u64 {
        let product = u128::from(number ^ 0x243f_6a88_85a3_08d3) * 0x9e37_79b9_7f4a_7c15;
        (product as u64 ^ (product >> 64) as u64).wrapping_mul(0xd6e8_feb8_6659_fd93)
    }

    #[test]
    fn every_number_of_eight_digits_has_them() {
        // Every pair of the upper four and the lower four digits, one of them at a time.
        for number in
            (0..100_000_000).step_by(9_999).chain(0..100_000).chain(99_900_000..100_000_000)
        {
            let digits = eight_digits(number) | ZEROS;
            assert_eq!(digits.to_le_bytes(), *format!("{number:08}").as_bytes());
        }
    }

    #[test]
    fn floats_are_those_of_zmij_and_read_back_bit_by_bit() {
        let ten = |exponent: i32| 10f64.powi(exponent);
        for exponent in -330..309 {
            for factor in [1.0, 1.5, 9.999_999, 0.1, 21.5] {
                let value = ten(exponent) * factor;
                for bits in
                    [value.to_bits(), value.to_bits() + 1, value.to_bits().saturating_sub(1)]
                {
                    if f64::from_bits(bits).is_finite() {
                        check(f64::from_bits(bits));
                        check(-f64::from_bits(bits));
                    }
                }
            }
        }
        for value in [0.0, 5e-324, f64::MAX, f64::MIN_POSITIVE, 0.1 + 0.2, 1e7 - 1e-8, 1e7, 1e-5] {
            check(value);
            check(-value);
        }
        for number in 0..300_000 {
            let random = mix(number);
            // Decimals of every number of places, and their neighbours, which are not such decimals.
            let places = (random >> 58) as i32 % 12;
            let decimal =
                (random >> 8 & 0xffff_ffff_ffff) as f64 / ten(places + (random & 7) as i32);
            check(decimal);
            check(f64::from_bits(decimal.to_bits() + 1));
            // Any number of a usual size, and any at all.
            check((random >> 11) as f64 / ten(random as i32 & 15));
            let any = f64::from_bits(random);
            if any.is_finite() {
                check(any);
            }
        }
    }

    #[test]
    fn integers_of_every_length_have_their_digits() {
        let mut values = vec![0, u64::MAX, i64::MAX as u64];
        for digits in 1..20 {
            let power = 10u64.pow(digits);
            values.extend([power - 1, power, power + 1, power / 9 * 8]);
        }
        for value in values {
            let mut out = Vec::new();
            unsigned(&mut out, value);
            let signed = value as i64;
            integer(&mut out, signed);
            integer(&mut out, signed.wrapping_neg());
            plain_integer(&mut out, signed);
            let expected = format!("{value}u{signed}i{}i{signed}", signed.wrapping_neg());
            assert_eq!(std::str::from_utf8(&out), Ok(&*expected));
        }
    }
}
