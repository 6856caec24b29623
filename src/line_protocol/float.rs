//! Floats in line protocol: the shortest text that is read back as the same value.
//!
//! Short decimals, which most measured values are, are written here, all digits in registers, which are then stored at
//! once: that takes about half the time of `zmij`, whose text stands in a buffer of its own and is then copied. `zmij`
//! does the rest, and is what the tests compare with.

use crate::line_protocol::digits::{TEN_TO_8, ZEROS, eight_digits, without_leading_zeros};
use crate::line_protocol::short_bytes::{append, append_up_to_32, append_word};

/// Appends a finite number; line protocol has no others.
///
/// The text is that of `zmij`, which prints `1.0`, `1e+21` and `5e-324`: the server reads digits, optionally a point
/// and digits, optionally an exponent.
pub(crate) fn float(out: &mut Vec<u8>, value: f64) {
    debug_assert!(value.is_finite());
    match Decimal::of(value) {
        Some(decimal) => decimal.append(out, value.is_sign_negative()),
        // Mostly 17 digits and a point, hence the function for up to 32 bytes.
        None => append_up_to_32(out, zmij::Buffer::new().format_finite(value).as_bytes()),
    }
}

/// Appends a finite number of single precision in its own shortest form: `0.1`, not `0.10000000149011612`.
pub(crate) fn float32(out: &mut Vec<u8>, value: f32) {
    debug_assert!(value.is_finite());
    append(out, zmij::Buffer::new().format_finite(value).as_bytes());
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
        let (whole, length) = without_leading_zeros(whole as u32);
        let fraction = eight_digits(fraction as u32);
        let fraction_length = 8 - (fraction | 1).leading_zeros() / 8; // at least one
        let fraction = u128::from(fraction | ZEROS) << 8 | u128::from(b'.');
        let text = u128::from(whole) | fraction << (8 * length);
        append_word(out, text, (length + 1 + fraction_length) as usize);
    }
}

const TWO_TO_52: f64 = (1u64 << 52) as f64;
const SCALE: f64 = TEN_TO_8 as f64;

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
            // Numbers of common magnitudes, and arbitrary ones.
            check((random >> 11) as f64 / ten(random as i32 & 15));
            let any = f64::from_bits(random);
            if any.is_finite() {
                check(any);
            }
        }
    }

    #[test]
    fn floats_of_single_precision_are_those_of_zmij_and_read_back_bit_by_bit() {
        let neighbours = (0..254).flat_map(|exponent| {
            let power = exponent << 23;
            [power, power + 1, power + 2, power + 0x40_0000, power + 0x7f_ffff]
        });
        let random = (0..300_000).map(|number| mix(number) as u32);
        let usual = (0..300_000).map(|number| {
            let random = mix(number);
            ((random >> 40) as f32 / 10f32.powi(random as i32 & 7)).to_bits()
        });
        for bits in neighbours.chain(random).chain(usual) {
            let value = f32::from_bits(bits);
            for value in [value, -value].into_iter().filter(|value| value.is_finite()) {
                let mut out = Vec::new();
                float32(&mut out, value);
                let text = std::str::from_utf8(&out).unwrap();
                assert_eq!(text.parse::<f32>().map(f32::to_bits), Ok(value.to_bits()), "{text}");
                assert_eq!(text, zmij::Buffer::new().format_finite(value));
            }
        }
    }
}
