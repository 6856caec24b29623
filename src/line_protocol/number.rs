//! Integers, booleans and times in line protocol.

use crate::line_protocol::digits::{
    SIXTEEN_ZEROS, TEN_TO_8, TEN_TO_16, ZEROS, eight_digits, sixteen_digits, without_leading_zeros,
};
pub(crate) use crate::line_protocol::float::{float, float32};
use crate::line_protocol::short_bytes::{append_two, append_word};

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

/// What the server reads as a boolean.
pub(crate) fn read_boolean(word: &str) -> Option<bool> {
    match word {
        "t" | "T" | "true" | "True" | "TRUE" => Some(true),
        "f" | "F" | "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Appends the time of a line: a space, the number, and the newline.
#[inline]
pub(crate) fn time(out: &mut Vec<u8>, value: i64) {
    // 17 digits and more: nanoseconds from April 1970 on.
    if value >= TEN_TO_16 as i64 {
        let (top, rest) = (value as u64 / TEN_TO_16, value as u64 % TEN_TO_16);
        let (top, length) = without_leading_zeros(top as u32); // at most 922
        let head = u64::from(b' ') | top << 8;
        append_two(out, head, length as usize + 1, sixteen_digits(rest) | SIXTEEN_ZEROS, 16);
    } else {
        out.push(b' ');
        plain_integer(out, value);
    }
    out.push(b'\n');
}

/// Appends a number without a suffix.
pub(crate) fn plain_integer(out: &mut Vec<u8>, value: i64) {
    if value.is_negative() {
        out.push(b'-');
    }
    digits(out, value.unsigned_abs());
}

#[inline(always)]
fn digits(out: &mut Vec<u8>, value: u64) {
    if value < TEN_TO_8 {
        let (digits, length) = without_leading_zeros(value as u32);
        return append_word(out, digits.into(), length as usize);
    }
    let (top, rest) = (value / TEN_TO_16, value % TEN_TO_16);
    if top != 0 {
        let (digits, length) = without_leading_zeros(top as u32);
        let rest = sixteen_digits(rest) | SIXTEEN_ZEROS;
        return append_two(out, digits, length as usize, rest, 16);
    }
    let (high, low) = (rest / TEN_TO_8, rest % TEN_TO_8);
    let (digits, length) = without_leading_zeros(high as u32);
    let low = u128::from(eight_digits(low as u32) | ZEROS);
    append_word(out, u128::from(digits) | low << (8 * length), length as usize + 8);
}

#[cfg(test)]
mod tests {
    use super::*;

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
