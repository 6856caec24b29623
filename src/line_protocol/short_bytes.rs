//! Short texts, eight bytes at a time.
//!
//! A line is made of many short texts, each of which is looked at, hashed and copied. Done byte by byte, or by a call
//! into the C library for each copy, that would take longer than formatting the numbers between them.
//!
//! All of these append, and differ in what they know:
//!
//! | function | for |
//! |---|---|
//! | [`append`] | bytes of any length, mostly not more than 16: names, values |
//! | [`append_up_to_32`] | bytes of any length, mostly 17 to 32: a float with all of its digits |
//! | [`append_part`] | a part of a longer buffer, mostly not more than 32 bytes: a column of a point |
//! | [`append_chunk`] | what is kept in an array of 32 bytes: a key that is repeated in each line |
//! | [`append_if_plain`] | a value of which is not known yet whether it has to be escaped |
//! | [`append_word`], [`append_two`] | what is in registers: digits, a key with what stands around it |

/// The result of one scan of a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Whether all of it is ASCII without control characters, spaces, commas, equals signs and backslashes, and there is
    /// something at all.
    pub(crate) is_plain: bool,
    /// A number that equal names share.
    pub(crate) hash: u64,
}

/// Looks at a name.
#[inline]
pub(crate) fn look(name: &[u8]) -> Look {
    if name.len() <= 16 {
        return look_and_pad(name).0;
    }
    let mut plain = HIGH;
    let mut hash = name.len() as u64;
    for_each_word(name, |word| {
        plain &= plain_bytes(word);
        hash = mix(hash, word);
    });
    Look { is_plain: plain == HIGH, hash }
}

/// Looks at a name of at most 16 bytes, and gives it as a word, the first byte lowest and zeros behind the last.
#[inline(always)]
pub(crate) fn look_and_pad(name: &[u8]) -> (Look, u128) {
    let (low, high) = padded(name);
    let hash = mix(name.len() as u64, low);
    let hash = if name.len() > 8 { mix(hash, high) } else { hash };
    let look = Look { is_plain: is_plain_padded(low, high, name.len()), hash };
    (look, u128::from(low) | u128::from(high) << 64)
}

/// Whether a name is plain, as [`Look::is_plain`].
#[inline]
pub(crate) fn is_plain(name: &[u8]) -> bool {
    let mut plain = HIGH;
    for_each_word(name, |word| plain &= plain_bytes(word));
    plain == HIGH && !name.is_empty()
}

/// Whether one of these (ASCII) bytes is in a text.
#[inline]
pub(crate) fn has_any<const N: usize>(text: &[u8], bytes: [u8; N]) -> bool {
    let mut found = 0;
    for_each_word(text, |word| found |= equal_bytes(word, bytes));
    found != 0
}

/// Where the first of these (ASCII) bytes is.
#[inline]
pub(crate) fn find_any<const N: usize>(text: &[u8], bytes: [u8; N]) -> Option<usize> {
    let (words, rest) = text.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let found = equal_bytes(u64::from_le_bytes(*word), bytes);
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let place = rest.iter().position(|byte| bytes.contains(byte))?;
    Some(words.len() * 8 + place)
}

/// Appends bytes, without a call if they are few.
#[inline(always)]
pub(crate) fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() <= 16 && has_room::<16>(out) {
        let (low, high) = padded(bytes);
        append_word(out, u128::from(low) | u128::from(high) << 64, bytes.len());
    } else {
        append_many(out, bytes);
    }
}

/// Appends a name if it is plain, as [`Look::is_plain`]. Returns whether it is.
#[inline(always)]
pub(crate) fn append_if_plain(out: &mut Vec<u8>, name: &[u8]) -> bool {
    if name.len() > 16 || !has_room::<16>(out) {
        let is_plain = is_plain(name);
        if is_plain {
            append_many(out, name);
        }
        return is_plain;
    }
    // The words that are looked at are then stored, so that the name is loaded once.
    let (low, high) = padded(name);
    let is_plain = is_plain_padded(low, high, name.len());
    if is_plain {
        append_word(out, u128::from(low) | u128::from(high) << 64, name.len());
    }
    is_plain
}

/// Appends the first bytes of a chunk, at most 32.
#[inline(always)]
pub(crate) fn append_chunk(out: &mut Vec<u8>, chunk: &[u8; 32], length: usize) {
    if has_room::<32>(out) {
        append_start(out, chunk, length);
    } else {
        append_many(out, chunk.get(..length).unwrap_or(chunk));
    }
}

/// Appends the first bytes of a word, the lowest one first.
#[inline(always)]
pub(crate) fn append_word(out: &mut Vec<u8>, word: u128, length: usize) {
    append_start(out, &word.to_le_bytes(), length);
}

/// Appends the first bytes of a word and then of another one.
#[inline(always)]
pub(crate) fn append_two(
    out: &mut Vec<u8>,
    first: u64,
    first_length: usize,
    second: u128,
    second_length: usize,
) {
    make_room::<24>(out);
    append_start(out, &first.to_le_bytes(), first_length);
    append_start(out, &second.to_le_bytes(), second_length);
}

/// Appends bytes, without a call if they are more than 16 and at most 32.
#[inline(always)]
pub(crate) fn append_up_to_32(out: &mut Vec<u8>, bytes: &[u8]) {
    match (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
        (Some(first), Some(last)) if bytes.len() <= 32 && has_room::<32>(out) => {
            append_start(out, first, bytes.len() - 16);
            append_start(out, last, 16);
        }
        _ => out.extend_from_slice(bytes),
    }
}

#[inline(never)]
fn append_many(out: &mut Vec<u8>, bytes: &[u8]) {
    append_up_to_32(out, bytes);
}

/// Appends a part of a slice, without a call if it is short and the slice goes on behind it.
#[inline(always)]
pub(crate) fn append_part(out: &mut Vec<u8>, bytes: &[u8], start: usize, length: usize) {
    match bytes.get(start..).and_then(|bytes| bytes.first_chunk::<32>()) {
        Some(chunk) if length <= 32 && has_room::<32>(out) => append_start(out, chunk, length),
        _ => append(out, bytes.get(start..start + length).unwrap_or_default()),
    }
}

/// Appends the first bytes of a chunk. One store of a length that the compiler knows writes more; what is too much is
/// overwritten by what is appended next.
#[inline(always)]
fn append_start<const N: usize>(out: &mut Vec<u8>, chunk: &[u8; N], length: usize) {
    let end = out.len() + length;
    out.extend_from_slice(chunk);
    out.truncate(end);
}

/// Whether the buffer need not grow; asked for first, this takes the growing out of what follows.
#[inline(always)]
fn has_room<const N: usize>(out: &Vec<u8>) -> bool {
    out.capacity().wrapping_sub(out.len()) >= N
}

/// Has the buffer grow at once for several words, if it has to.
#[inline(always)]
fn make_room<const N: usize>(out: &mut Vec<u8>) {
    if !has_room::<N>(out) {
        out.reserve(N);
    }
}

/// Whether two texts are equal, without a call if they are short.
#[inline(always)]
pub(crate) fn is_equal(a: &[u8], b: &[u8]) -> bool {
    fn ends<const N: usize>(a: &[u8], b: &[u8]) -> bool {
        a.first_chunk::<N>() == b.first_chunk::<N>() && a.last_chunk::<N>() == b.last_chunk::<N>()
    }
    a.len() == b.len()
        && match a.len() {
            0..4 => a.first() == b.first() && a.last() == b.last() && a.get(1) == b.get(1),
            4..8 => ends::<4>(a, b),
            8..=16 => ends::<8>(a, b),
            17..=32 => ends::<16>(a, b),
            _ => a == b,
        }
}

/// At most 16 bytes as two words, with zeros behind them.
#[inline(always)]
fn padded(bytes: &[u8]) -> (u64, u64) {
    // Where the first and the last bytes overlap they are the same.
    let length = bytes.len();
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            let last = u64::from_le_bytes(*last);
            // Shifted in two halves: of 8 bytes it is by 64 bits, and a shift by 64 at once overflows.
            let half = 4 * (16 - length.min(16));
            (u64::from_le_bytes(*first), last >> half >> half)
        }
        _ => (padded_to_8(bytes), 0),
    }
}

/// Fewer than 8 bytes, with zeros behind them.
#[inline]
fn padded_to_8(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let last = u64::from(u32::from_le_bytes(*last));
        u64::from(u32::from_le_bytes(*first)) | last << (8 * (length - 4))
    } else if let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) {
        let middle = bytes.get(length / 2).copied().unwrap_or(last);
        let (first, middle, last) = (u64::from(first), u64::from(middle), u64::from(last));
        first | middle << (8 * (length / 2)) | last << (8 * (length - 1))
    } else {
        0
    }
}

/// Calls with words that have every byte of a text at least once, and none that is not in it but for `a`.
#[inline]
fn for_each_word(text: &[u8], mut call: impl FnMut(u64)) {
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        if let Some(middle) = text.get(8..text.len() - 8) {
            let (words, rest) = middle.as_chunks::<8>();
            words.iter().for_each(|word| call(u64::from_le_bytes(*word)));
            if !rest.is_empty() {
                let around = text.get(text.len() - 8 - rest.len()..);
                let around = around.and_then(|around| around.first_chunk::<8>());
                around.into_iter().for_each(|word| call(u64::from_le_bytes(*word)));
            }
        }
        call(u64::from_le_bytes(*first));
        call(u64::from_le_bytes(*last));
    } else if !text.is_empty() {
        call(padded_to_8(text) | each(b'a') << (8 * text.len()));
    }
}

/// Whether a name of at most 16 bytes is plain, with zeros behind them.
#[inline(always)]
fn is_plain_padded(low: u64, high: u64, length: usize) -> bool {
    match length {
        0 => false,
        1..8 => plain_bytes(low | each(b'a') << (8 * length)) == HIGH,
        _ => {
            // Shifted in two halves: of 16 bytes it is by 64 bits, and a shift by 64 at once overflows.
            let half = 4 * (length.min(16) - 8);
            let high = high | each(b'a') << half << half;
            plain_bytes(low) & plain_bytes(high) == HIGH
        }
    }
}

#[inline(always)]
fn mix(hash: u64, word: u64) -> u64 {
    // Names often differ in their last bytes only, which are the highest of a word and change the upper half of the product.
    let product = u128::from(hash ^ word) * 0x9e37_79b9_7f4a_7c15;
    product as u64 ^ (product >> 64) as u64
}

/// The high bit of each byte that is plain; those of a word with a byte beyond ASCII may be off, but not all are set.
#[inline]
fn plain_bytes(word: u64) -> u64 {
    // No carry leaves an ASCII byte: 0x7f + 0x7f = 0xfe.
    let is_not = |byte: u8| (word ^ each(byte)).wrapping_add(each(0x7f));
    let is_visible = word.wrapping_add(each(0x7f - 0x20));
    is_visible & is_not(b',') & is_not(b'=') & is_not(b'\\') & is_not(0x7f) & !word & HIGH
}

/// The high bit of each byte that is one of these.
#[inline]
fn equal_bytes<const N: usize>(word: u64, bytes: [u8; N]) -> u64 {
    let mut found = 0;
    for byte in bytes {
        let difference = word ^ each(byte);
        // Without its high bit no byte carries into the next.
        found |= !(((difference & !HIGH) + !HIGH) | difference) & HIGH;
    }
    found
}

#[inline]
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

const HIGH: u64 = each(0x80);

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte at every place of every length around the sizes that are treated differently.
    #[test]
    fn one_byte_makes_the_difference_wherever_it_stands() {
        for length in (1..=20).chain(31..=34) {
            for place in 0..length {
                for byte in 0..=255 {
                    let mut text = vec![b'x'; length];
                    text[place] = byte;
                    let plain = byte.is_ascii_graphic() && !b",=\\".contains(&byte);
                    assert_eq!(is_plain(&text), plain, "{text:?}");
                    assert_eq!(look(&text).is_plain, plain, "{text:?}");
                    for room in [0, 8, 100] {
                        let mut out = Vec::with_capacity(room);
                        assert_eq!(append_if_plain(&mut out, &text), plain, "{text:?}");
                        assert_eq!(out, if plain { &text[..] } else { &[] });
                    }
                    let special = byte == b'"' || byte == b'\\';
                    assert_eq!(has_any(&text, [b'"', b'\\']), special, "{text:?}");
                    assert_eq!(
                        find_any(&text, [b'"', b'\\']),
                        special.then_some(place),
                        "{text:?}"
                    );
                    assert_eq!(is_equal(&text, &vec![b'x'; length]), byte == b'x');
                    assert_eq!(look(&text).hash == look(&vec![b'x'; length]).hash, byte == b'x');
                }
            }
        }
        assert!(!append_if_plain(&mut Vec::with_capacity(100), b""));
        assert!(!is_plain(b"") && !look(b"").is_plain && !has_any(b"", [b'"']));
        assert_eq!(find_any(b"\xe9 \xbd\"", [b'"']), Some(3));
    }

    #[test]
    fn every_length_is_appended_whole() {
        let text: Vec<u8> = (0..100).collect();
        for before in 0..20 {
            for length in 0..=text.len() {
                let mut out = text[..before].to_vec();
                append(&mut out, &text[..length]);
                assert_eq!(out, [&text[..before], &text[..length]].concat());
                append_part(&mut out, &text, 100 - length, length);
                assert_eq!(out, [&text[..before], &text[..length], &text[100 - length..]].concat());
                append_part(&mut out, &text, 0, length);
                assert_eq!(out[before + 2 * length..], text[..length]);
                let chunk = text.first_chunk::<32>().unwrap();
                let before = out.len();
                append_chunk(&mut out, chunk, length.min(32));
                assert_eq!(out[before..], text[..length.min(32)]);
            }
        }
    }

    /// Tables are indexed by the low bits.
    #[test]
    fn numbered_names_differ_in_the_low_bits_of_their_hashes() {
        for name in ["pressure_", "a", "temperature of sensor ", "x.y.z"] {
            let low = |n: usize| look(format!("{name}{n:02}").as_bytes()).hash & 255;
            let different: std::collections::HashSet<_> = (0..100).map(low).collect();
            assert!(different.len() > 70, "{name}: {}", different.len());
        }
    }

    #[test]
    fn names_of_every_length_have_their_own_hashes() {
        let mut hashes = std::collections::HashSet::new();
        for length in 0..40 {
            assert!(hashes.insert(look(&vec![b'a'; length]).hash), "{length}");
        }
    }
}
