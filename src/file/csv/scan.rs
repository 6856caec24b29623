//! What is found in the bytes of CSV.

use memchr::memchr;

/// How many blanks there are at the beginning.
#[inline]
pub(super) fn blanks(bytes: &[u8], delimiter: u8) -> usize {
    let is_blank = |byte: &&u8| matches!(**byte, b' ' | b'\t') && **byte != delimiter;
    bytes.iter().take_while(is_blank).count()
}

/// Where what is not blank begins and ends.
pub(super) fn trim(cell: &[u8]) -> (usize, usize) {
    let start = cell.len() - cell.trim_ascii_start().len();
    (start, start + cell.trim_ascii().len())
}

/// The place of the first of two bytes. Cells are short: eight bytes at once are enough, and setting up more costs more.
#[inline(always)]
pub(super) fn find(bytes: &[u8], first: u8, second: u8) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (number, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        let (a, b) = (word ^ (ONES * u64::from(first)), word ^ (ONES * u64::from(second)));
        // The lowest bit that is left is that of the first byte that is zero.
        let zeros = (a.wrapping_sub(ONES) & !a | b.wrapping_sub(ONES) & !b) & TOPS;
        if zeros != 0 {
            return Some(number * 8 + zeros.trailing_zeros() as usize / 8);
        }
    }
    let place = rest.iter().position(|&byte| byte == first || byte == second)?;
    Some(chunks.len() * 8 + place)
}

pub(super) enum Quoted {
    /// The cell with its quotes.
    Whole {
        length: usize,
        is_escaped: bool,
    },
    Cut,
}

/// Finds the quote that closes the cell at the beginning of `bytes`.
pub(super) fn quoted(bytes: &[u8], is_at_end: bool) -> Quoted {
    let mut at = 1;
    let mut is_escaped = false;
    while let Some(place) = bytes.get(at..).and_then(|rest| memchr(b'"', rest)) {
        let behind = at + place + 1;
        match bytes.get(behind) {
            Some(b'"') => {
                is_escaped = true;
                at = behind + 1;
            }
            // Whether it closes is known with the next byte.
            None if !is_at_end => return Quoted::Cut,
            _ => return Quoted::Whole { length: behind, is_escaped },
        }
    }
    Quoted::Cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_two_bytes_is_found_wherever_it_is() {
        let mut state = 1_u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let length = (state >> 40) as usize % 30;
            let alphabet = [b',', b'\n', b'-', b'+', 0x80, 0xac, b'\x0b', 0, 0xff, b'a'];
            let byte = |n: usize| alphabet[(state.rotate_left(n as u32 * 5) % 10) as usize];
            let bytes: Vec<u8> = (0..length).map(byte).collect();
            let expected = bytes.iter().position(|byte| matches!(byte, b',' | b'\n'));
            assert_eq!(find(&bytes, b',', b'\n'), expected, "{bytes:?}");
        }
    }
}
