//! Decimal digits, eight at a time in one register.

/// The digits of a number below 10⁸ as bytes from 0 to 9, the first one lowest.
///
/// Each step halves all parts at once, as a number below 10⁸ divided by 10⁴ is its product with 3518437209, divided by
/// 2⁴⁵, one below 10⁴ divided by 100 its product with 10486, divided by 2²⁰, and one below 100 divided by 10 its
/// product with 103, divided by 2¹⁰. What is left of a part takes its product with the divisor away; in one
/// multiplication with that of putting both where they belong.
#[inline(always)]
pub(crate) fn eight_digits(number: u32) -> u64 {
    let number = u64::from(number);
    let high = (number * 3_518_437_209) >> 45;
    let fours = (number << 32).wrapping_sub(high * ((10_000 << 32) - 1));
    let high = (fours * 10_486) >> 20 & 0x0000_007f_0000_007f;
    let twos = (fours << 16).wrapping_sub(high * ((100 << 16) - 1));
    let high = (twos * 103) >> 10 & 0x000f_000f_000f_000f;
    (twos << 8).wrapping_sub(high * ((10 << 8) - 1))
}

/// The digits of a number below 10¹⁶, as those of [`eight_digits`].
#[inline(always)]
pub(crate) fn sixteen_digits(number: u64) -> u128 {
    let (high, low) = (number / TEN_TO_8, number % TEN_TO_8);
    u128::from(eight_digits(high as u32)) | u128::from(eight_digits(low as u32)) << 64
}

/// The digits of a number below 10⁸ as text, without the zeros before them but with at least one, from the lowest byte
/// on, and how many they are.
#[inline(always)]
pub(crate) fn without_leading_zeros(number: u32) -> (u64, u32) {
    let digits = eight_digits(number);
    let zeros = (digits | 1 << 56).trailing_zeros() / 8;
    ((digits | ZEROS) >> (8 * zeros), 8 - zeros)
}

pub(crate) const TEN_TO_8: u64 = 100_000_000;
pub(crate) const TEN_TO_16: u64 = TEN_TO_8 * TEN_TO_8;

/// What makes text of digits.
pub(crate) const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
pub(crate) const SIXTEEN_ZEROS: u128 = u128::from_le_bytes([b'0'; 16]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_eight_digits_has_them() {
        // Every pair of the upper four and the lower four digits, one of them at a time.
        for number in
            (0..100_000_000).step_by(9_999).chain(0..100_000).chain(99_900_000..100_000_000)
        {
            let digits = eight_digits(number) | ZEROS;
            assert_eq!(digits.to_le_bytes(), *format!("{number:08}").as_bytes());
            let (text, length) = without_leading_zeros(number);
            let expected = number.to_string();
            assert_eq!(text.to_le_bytes()[..length as usize], *expected.as_bytes());
            assert_eq!(text >> (4 * length) >> (4 * length), 0, "{number}");
        }
    }

    #[test]
    fn sixteen_digits_are_twice_eight() {
        for number in [0, 1, TEN_TO_8 - 1, TEN_TO_8, TEN_TO_16 - 1, 1_234_567_890_123_456] {
            let text = sixteen_digits(number) | SIXTEEN_ZEROS;
            assert_eq!(text.to_le_bytes(), *format!("{number:016}").as_bytes());
        }
    }
}
