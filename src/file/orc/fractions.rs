//! The fractions of timestamps, looked at before the reader does.
//!
//! The format has them as integers without a sign, but writers of Arrow write times before 1970 with one, below
//! zero. The reader takes that for a time 73 years later.

use std::io::{BufReader, Read};

/// Whether an integer of a stream is below zero; none if the stream contradicts itself.
///
/// `is_v2` is whether the runs are of the second version, as every writer but that of Hive 0.11 has them.
pub(super) fn has_negative(stream: impl Read, is_v2: bool) -> Option<bool> {
    let mut runs = Runs { bytes: BufReader::new(stream).bytes(), bits: 0, left: 0 };
    let mut found = false;
    while let Some(first) = runs.bytes.next() {
        let first = first.ok()?;
        let mut see = |value: i64| found |= value < 0;
        match (is_v2, first >> 6) {
            (false, _) => runs.first_version(first, &mut see)?,
            (true, 0) => runs.short_repeat(first, &mut see)?,
            (true, 1) => runs.direct(first, &mut see)?,
            (true, 2) => runs.patched_base(first, &mut see)?,
            (true, _) => runs.delta(first, &mut see)?,
        }
    }
    Some(found)
}

struct Runs<R: Read> {
    bytes: std::io::Bytes<R>,
    /// The byte of which bits are taken, and how many of them are left.
    bits: u8,
    left: u32,
}

impl<R: Read> Runs<R> {
    fn byte(&mut self) -> Option<u8> {
        self.bytes.next()?.ok()
    }

    /// An integer of this many bytes, the highest first.
    fn big_endian(&mut self, bytes: u8) -> Option<u64> {
        (0..bytes).try_fold(0, |value, _| Some(value << 8 | u64::from(self.byte()?)))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// An integer of this many bits.
    fn packed(&mut self, width: u32) -> Option<u64> {
        let mut value = 0_u64;
        for _ in 0..width {
            if self.left == 0 {
                self.bits = self.byte()?;
                self.left = 8;
            }
            self.left -= 1;
            value = value << 1 | u64::from(self.bits >> self.left & 1);
        }
        Some(value)
    }

    /// Bits begin and end with a byte.
    fn align(&mut self) {
        self.left = 0;
    }

    /// The length of a run, of which the first byte has the highest bit.
    fn length(&mut self, first: u8) -> Option<usize> {
        Some((usize::from(first & 1) << 8 | usize::from(self.byte()?)) + 1)
    }

    fn short_repeat(&mut self, first: u8, see: &mut impl FnMut(i64)) -> Option<()> {
        see(self.big_endian((first >> 3 & 7) + 1)?.cast_signed());
        Some(())
    }

    fn direct(&mut self, first: u8, see: &mut impl FnMut(i64)) -> Option<()> {
        let (width, length) = (width(first >> 1 & 31), self.length(first)?);
        for _ in 0..length {
            see(self.packed(width)?.cast_signed());
        }
        self.align();
        Some(())
    }

    fn patched_base(&mut self, first: u8, see: &mut impl FnMut(i64)) -> Option<()> {
        let (width_of_values, length) = (width(first >> 1 & 31), self.length(first)?);
        let (third, fourth) = (self.byte()?, self.byte()?);
        let (base_bytes, patch_width) = ((third >> 5) + 1, width(third & 31));
        let (gap_width, patches) = (u32::from(fourth >> 5) + 1, fourth & 31);
        let base = self.big_endian(base_bytes)?;
        let sign = 1_u64 << (u32::from(base_bytes) * 8 - 1);
        let base = match base & sign {
            0 => base.cast_signed(),
            _ => (base & !sign).cast_signed().wrapping_neg(),
        };
        let mut values = Vec::with_capacity(length);
        for _ in 0..length {
            values.push(self.packed(width_of_values)?);
        }
        self.align();
        let mut place = 0;
        for _ in 0..patches {
            let patch = self.packed(closest_width(gap_width + patch_width))?;
            place += usize::try_from(patch.checked_shr(patch_width).unwrap_or(0)).ok()?;
            let patch = patch & u64::MAX.checked_shr(64 - patch_width).unwrap_or(0);
            *values.get_mut(place)? |= patch.checked_shl(width_of_values).unwrap_or(0);
        }
        self.align();
        values.iter().for_each(|value| see(base.wrapping_add(value.cast_signed())));
        Some(())
    }

    fn delta(&mut self, first: u8, see: &mut impl FnMut(i64)) -> Option<()> {
        let width = match first >> 1 & 31 {
            0 => 0,
            code => width(code),
        };
        let length = self.length(first)?;
        let mut value = self.varint()?.cast_signed();
        let step = self.varint()?;
        let step = (step >> 1).cast_signed() ^ (step & 1).cast_signed().wrapping_neg();
        see(value);
        for number in 1..length {
            let by = match (number, width) {
                (1, _) | (_, 0) => step,
                _ => {
                    let by = self.packed(width)?.cast_signed();
                    if step < 0 { by.wrapping_neg() } else { by }
                }
            };
            value = value.wrapping_add(by);
            see(value);
        }
        self.align();
        Some(())
    }

    fn first_version(&mut self, first: u8, see: &mut impl FnMut(i64)) -> Option<()> {
        if first >= 0x80 {
            for _ in first..=u8::MAX {
                see(self.varint()?.cast_signed());
            }
            return Some(());
        }
        let step = i64::from(self.byte()?.cast_signed());
        let base = self.varint()?.cast_signed();
        (0..i64::from(first) + 3).for_each(|n| see(base.wrapping_add(n * step)));
        Some(())
    }
}

/// The number of bits that a code of five bits stands for.
fn width(code: u8) -> u32 {
    match code {
        ..=23 => u32::from(code) + 1,
        24..=27 => u32::from(code) * 2 - 22,
        _ => u32::from(code) * 8 - 184,
    }
}

/// The fewest bits that a code stands for and that are as many.
fn closest_width(bits: u32) -> u32 {
    (0..32).map(width).find(|&width| width >= bits).unwrap_or(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_format_are_read() {
        // (bytes, integers) of the specification of ORC.
        let patched = [
            0x8e, 0x13, 0x2b, 0x21, 0x07, 0xd0, 0x1e, 0x00, 0x14, 0x70, 0x28, 0x32, 0x3c, 0x46,
            0x50, 0x5a, 0x64, 0x6e, 0x78, 0x82, 0x8c, 0x96, 0xa0, 0xaa, 0xb4, 0xbe, 0xfc, 0xe8,
        ];
        let patched_values = [
            2030, 2000, 2020, 1000000, 2040, 2050, 2060, 2070, 2080, 2090, 2100, 2110, 2120, 2130,
            2140, 2150, 2160, 2170, 2180, 2190,
        ];
        let examples: [(&[u8], &[i64]); 5] = [
            (&[0x0a, 0x27, 0x10], &[10000]),
            (
                &[0x5e, 0x03, 0x5c, 0xa1, 0xab, 0x1e, 0xde, 0xad, 0xbe, 0xef],
                &[23713, 43806, 57005, 48879],
            ),
            (&patched, &patched_values),
            (
                &[0xc6, 0x09, 0x02, 0x02, 0x22, 0x42, 0x42, 0x46],
                &[2, 3, 5, 7, 11, 13, 17, 19, 23, 29],
            ),
            (&[0xfe, 0x01, 0x05, 0x01][..0], &[]),
        ];
        for (bytes, expected) in examples {
            let mut runs = Runs { bytes: bytes.bytes(), bits: 0, left: 0 };
            let mut found = Vec::new();
            if let Some(first) = runs.byte() {
                let mut see = |value| found.push(value);
                match first >> 6 {
                    0 => runs.short_repeat(first, &mut see),
                    1 => runs.direct(first, &mut see),
                    2 => runs.patched_base(first, &mut see),
                    _ => runs.delta(first, &mut see),
                }
                .unwrap();
                assert!(runs.byte().is_none());
            }
            assert_eq!(found, expected);
            assert_eq!(has_negative(bytes, true), Some(false));
        }
        let (mut first, mut found) =
            (Runs { bytes: [0x00, 0x07].bytes(), bits: 0, left: 0 }, vec![]);
        first.first_version(0x61, &mut |value| found.push(value)).unwrap();
        assert_eq!((found.len(), found[0], found[99]), (100, 7, 7));
        assert_eq!(has_negative(&[0xfb, 0x02, 0x03, 0x06, 0x07, 0x0b][..], false), Some(false));
    }

    #[test]
    fn what_is_below_zero_is_found_in_every_kind_of_run() {
        let ones = [0xff; 8];
        assert_eq!(has_negative(&[&[0x38][..], &ones].concat()[..], true), Some(true));
        assert_eq!(has_negative(&[&[0x7e, 0][..], &ones].concat()[..], true), Some(true));
        // 0, then one less each time.
        assert_eq!(has_negative(&[0xc0, 0x01, 0x00, 0x01][..], true), Some(true));
        assert_eq!(has_negative(&[0x00, 0xff, 0x01][..], false), Some(true));
        // Cut off.
        assert_eq!(has_negative(&[0x7e, 0, 0xff][..], true), None);
    }
}
