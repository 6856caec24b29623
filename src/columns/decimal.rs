//! Decimals as digits.

/// Appends a number that is `digits` divided by ten to the power of `scale`.
pub(crate) fn write(out: &mut String, digits: &str, scale: i8) {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    out.push_str(sign);
    let Ok(scale) = usize::try_from(scale) else {
        out.push_str(digits);
        if digits != "0" {
            out.extend(std::iter::repeat_n('0', scale.unsigned_abs().into()));
        }
        return;
    };
    let zeros = (scale + 1).saturating_sub(digits.len());
    let padded: String = std::iter::repeat_n('0', zeros).chain(digits.chars()).collect();
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    out.push_str(whole);
    if scale > 0 {
        out.push('.');
        out.push_str(fraction);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_point_is_put_where_the_scale_says() {
        for (digits, scale, expected) in [
            ("12345", 2, "123.45"),
            ("-12345", 5, "-0.12345"),
            ("-1", 3, "-0.001"),
            ("0", 2, "0.00"),
            ("7", 0, "7"),
            ("7", -3, "7000"),
            ("0", -3, "0"),
            ("-120", 1, "-12.0"),
        ] {
            let mut out = String::new();
            super::write(&mut out, digits, scale);
            assert_eq!(out, expected);
        }
    }
}
