//! Floats in line protocol: the shortest text that is read back as the same value.
//!
//! Numbers of a usual size are written here, all digits in registers, which are then stored at once: that takes half
//! the time of `zmij`, whose text stands in a buffer of its own and is then copied. `zmij` does the rest, and is what
//! the tests compare with.

use crate::line_protocol::digits::{
    SIXTEEN_ZEROS, TEN_TO_8, TEN_TO_16, ZEROS, eight_digits, sixteen_digits, without_leading_zeros,
};
use crate::line_protocol::words::{append, append_word, append_words};

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
    let significand = u64::from(value.to_bits() & FRACTION32) | u64::from(FRACTION32 + 1);
    let exponent = value.to_bits() >> 23 & 0xff;
    if USUAL32.contains(&value.abs())
        && significand > u64::from(FRACTION32 + 1)
        && let Some(scale) = Scale::of(150 - exponent)
    {
        return shortest(out, significand, scale, value.is_sign_negative());
    }
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

#[inline(never)]
fn any_float(out: &mut Vec<u8>, value: f64) {
    let significand = value.to_bits() & FRACTION | (FRACTION + 1);
    let exponent = (value.to_bits() >> 52) as u32 & 0x7ff;
    if USUAL.contains(&value.abs())
        && let Some(scale) = Scale::of(1075 - exponent)
    {
        return shortest(out, significand, scale, value.is_sign_negative());
    }
    append(out, zmij::Buffer::new().format_finite(value).as_bytes());
}

/// Appends the shortest decimal that is nearer to `significand / 2^scale.shift` than to its neighbours, which are one
/// significand away; of several the nearest.
///
/// All is exact. The number is multiplied with the power of ten that makes the distance between neighbours, the gap,
/// less than 1 and at least 1/10: 64 bits hold it as a fraction. Then at most one integer is nearer than half a gap,
/// and has the fewest digits if it is there, zeros at its end not counted. If there is none, one more digit is enough.
/// No number is half a gap away: that has one bit more than the number has. Before a power of two the gap is only half as
/// wide, but powers of two are integers here in double precision, so that theirs does not matter; in single
/// precision the caller leaves them out.
#[inline(always)]
fn shortest(out: &mut Vec<u8>, significand: u64, scale: &Scale, is_negative: bool) {
    let product = u128::from(significand) * u128::from(scale.gap);
    let (integer, rest) = ((product >> 64) as u64, product as u64);
    let tenths = match rest {
        QUARTER => 2, // 2.5: the even one of the two that are as near
        _ => ((u128::from(rest) * 10 + (1 << 63)) >> 64) as u64,
    };
    let half = scale.gap / 2;
    let tenths = if rest.checked_add(half).is_none() { 10 } else { tenths };
    let tenths = if rest < half { 0 } else { tenths };
    let number = integer * 10 + tenths;

    // The digits before the last 16, and these.
    let lead = if scale.shift < 54 { significand >> scale.shift } else { number / TEN_TO_16 };
    let tail = sixteen_digits((number - lead * scale.lead) * scale.tail);
    let (lead, length) = without_leading_zeros(lead as u32);
    let bits = u32::from(scale.before_bits);
    let head = scale.before | lead << bits | u64::from(scale.point) << (bits + 8 * length);
    let head_length = bits / 8 + length + u32::from(scale.point != 0);
    let tail_length = 16 - (tail | u128::from(scale.point != 0)).leading_zeros() / 8;
    if is_negative {
        out.push(b'-');
    }
    append_words(out, head, head_length as usize, tail | SIXTEEN_ZEROS, tail_length as usize);
}

/// How numbers of one exponent are written: as a head, and then as 16 digits without the zeros behind them.
#[derive(Clone, Copy)]
struct Scale {
    shift: u8,
    /// The distance of two neighbours times the power of ten, a fraction of 2⁶⁴.
    gap: u64,
    /// The lead times this is taken off.
    lead: u64,
    /// What then is left times this are the 16 digits.
    tail: u64,
    /// `0.` and zeros for numbers below 1/2.
    before: u64,
    before_bits: u8,
    /// A point behind the lead for all others, and else 0.
    point: u8,
}

impl Scale {
    /// The scale of `significand / 2^shift`, if there is one.
    #[inline(always)]
    fn of(shift: u32) -> Option<&'static Self> {
        SCALES.get(shift as usize)
    }
}

/// By the shift.
static SCALES: [Scale; 70] = {
    let empty = Scale { shift: 0, gap: 0, lead: 0, tail: 0, before: 0, before_bits: 0, point: 0 };
    let mut scales = [empty; 70];
    let (mut shift, mut places, mut power) = (1, 1, 1u128);
    while shift < scales.len() {
        // `power` is 10^(places - 1); the gap is less than 1 and would not be times 10.
        while power * 10 < 1 << shift {
            power *= 10;
            places += 1;
        }
        let scale = &mut scales[shift];
        scale.shift = shift as u8;
        // 2^(64 - shift) times the power; it has more factors of two than it loses.
        scale.gap = if shift <= 64 { power << (64 - shift) } else { power >> (shift - 64) } as u64;
        if places <= 16 {
            scale.lead = 10u64.pow(places);
            scale.tail = 10u64.pow(16 - places);
            scale.point = b'.';
        } else {
            scale.lead = TEN_TO_16;
            scale.tail = 1;
            scale.before_bits = 8 * (places - 15) as u8;
            let zeros = ZEROS & ((1 << scale.before_bits) - 1);
            scale.before = zeros ^ ((b'0' ^ b'.') as u64) << 8;
        }
        shift += 1;
    }
    scales
};

/// Of these sizes there are seven digits before the point and no exponent.
const USUAL: std::ops::Range<f64> = 1e-5..1e7;
const USUAL32: std::ops::Range<f32> = 1e-5..8_388_608.0;

const FRACTION: u64 = (1 << 52) - 1;
const FRACTION32: u32 = (1 << 23) - 1;
const QUARTER: u64 = 1 << 62;
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
            // Any number of a usual size, and any at all.
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

    /// The path of full precision, also for numbers that are decimals and would not get there.
    #[test]
    fn exact_arithmetic_has_the_text_of_zmij_for_every_number_of_a_usual_size() {
        let check = |value: f64| {
            if USUAL.contains(&value) {
                let mut out = Vec::new();
                any_float(&mut out, value);
                let text = std::str::from_utf8(&out);
                assert_eq!(text, Ok(zmij::Buffer::new().format_finite(value)));
            }
        };
        for exponent in -17..24 {
            let power = 2f64.powi(exponent).to_bits();
            (power - 1_000..power + 1_000).for_each(|bits| check(f64::from_bits(bits)));
            for number in 0..20_000 {
                // Any number between two powers of two.
                check(f64::from_bits(power | mix(number) >> 12));
            }
        }
        for places in 0..18 {
            for number in 0..20_000 {
                let decimal = (mix(number) >> 11) as f64 / 10f64.powi(places);
                [decimal, decimal.next_up(), decimal.next_down()].into_iter().for_each(check);
            }
        }
    }
}
