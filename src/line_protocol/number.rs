//! Numbers in line protocol: the shortest text that is read back as the same value.

use crate::line_protocol::words::append;

/// Appends a finite number; line protocol has no others.
///
/// `zmij` prints `1.0`, `1e+21` and `5e-324`, which is what the server reads: digits, optionally a point and digits,
/// optionally an exponent.
pub(crate) fn float(out: &mut Vec<u8>, value: f64) {
    debug_assert!(value.is_finite());
    append(out, zmij::Buffer::new().format_finite(value).as_bytes());
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
    append(out, itoa::Buffer::new().format(value).as_bytes());
    out.push(b'u');
}

pub(crate) fn boolean(out: &mut Vec<u8>, value: bool) {
    let text: &[u8] = if value { b"true" } else { b"false" };
    out.extend_from_slice(text);
}

/// Appends a number without a suffix, as timestamps are.
#[inline]
pub(crate) fn plain_integer(out: &mut Vec<u8>, value: i64) {
    append(out, itoa::Buffer::new().format(value).as_bytes());
}
