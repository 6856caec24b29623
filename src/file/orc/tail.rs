//! The tail of an ORC file, looked at before its reader does.
//!
//! The reader follows the tree of types wherever the file leads it: one that goes in circles ends the process, as a
//! stack that overflows cannot be caught. It also asks for a buffer of whatever length the file says.

use std::io::Read;

use bytes::Bytes;
use orc_rust::compression::{Compression, Decompressor};
use orc_rust::reader::metadata::read_metadata;

use crate::Result;
use crate::file::places::Places;
use crate::file::unreadable;

/// Refuses what the reader does not survive.
pub(super) fn check(file: &Places) -> Result<()> {
    let tail = Tail::read(file)
        .ok_or_else(|| unreadable("it is damaged, or no ORC: its end is no end"))?;
    if tail.block_size.is_some_and(|size| size > MAX_BLOCK) {
        return Err(unreadable("it is damaged: its blocks are too long"));
    }
    let mut footer = Vec::new();
    // A footer over the limit is cut, and what is cut is refused.
    Decompressor::new(tail.footer.clone(), tail.compression()?, Vec::new())
        .take(MAX_FOOTER)
        .read_to_end(&mut footer)
        .map_err(|error| unreadable(format!("it is damaged: {error}")).with_source(error))?;
    match subtypes(&footer) {
        Some(types) if is_tree(&types) => Ok(()),
        _ => Err(unreadable("it is damaged: its types are no tree")),
    }
}

/// What the last bytes of the file say.
struct Tail {
    footer: Bytes,
    compression: u64,
    block_size: Option<u64>,
}

impl Tail {
    fn read(file: &Places) -> Option<Self> {
        let postscript_end = file.len().checked_sub(1)?;
        let length = u64::from(*file.bytes_at(postscript_end, 1).ok()?.first()?);
        let footer_end = postscript_end.checked_sub(length)?;
        let postscript = file.bytes_at(footer_end, length).ok()?;
        let (mut footer_length, mut compression, mut block_size) = (0, 0, None);
        for field in Fields(&postscript) {
            match field? {
                (1, Value::Number(length)) => footer_length = length,
                (2, Value::Number(kind)) => compression = kind,
                (3, Value::Number(size)) => block_size = Some(size),
                _ => {}
            }
        }
        if footer_length > MAX_FOOTER {
            return None;
        }
        let footer = file.bytes_at(footer_end.checked_sub(footer_length)?, footer_length).ok()?;
        Some(Self { footer: footer.into(), compression, block_size })
    }

    /// The reader makes this value from a file only, so that here is the shortest file of this compression.
    fn compression(&self) -> Result<Option<Compression>> {
        // One type, a struct without columns.
        let types = [4 << 3 | 2, 2, 1 << 3, 12];
        let mut file = Vec::new();
        if self.compression != 0 {
            // A chunk that is not compressed.
            file.extend_from_slice(&[(types.len() as u8) << 1 | 1, 0, 0]);
        }
        file.extend_from_slice(&types);
        let mut postscript =
            vec![1 << 3, file.len() as u8, 2 << 3, self.compression as u8 & 0x7f, 5 << 3, 0];
        if let Some(size) = self.block_size {
            postscript.push(3 << 3);
            push_number(&mut postscript, size);
        }
        postscript.push(postscript.len() as u8);
        file.extend_from_slice(&postscript);
        match read_metadata(&mut Bytes::from(file)) {
            Ok(metadata) => Ok(metadata.compression()),
            Err(error) => Err(super::damaged(error)),
        }
    }
}

/// For each type the types it is made of.
fn subtypes(footer: &[u8]) -> Option<Vec<Vec<u64>>> {
    let mut types = Vec::new();
    for field in Fields(footer) {
        if let (4, Value::Bytes(one)) = field? {
            let mut subtypes = Vec::new();
            for field in Fields(one) {
                match field? {
                    (2, Value::Number(subtype)) => subtypes.push(subtype),
                    (2, Value::Bytes(packed)) => {
                        let mut rest = packed;
                        while !rest.is_empty() {
                            subtypes.push(number(&mut rest)?);
                        }
                    }
                    _ => {}
                }
            }
            types.push(subtypes);
        }
    }
    Some(types)
}

/// Whether each type but the first is part of one that stands before it, of only one, and not too deep.
fn is_tree(types: &[Vec<u64>]) -> bool {
    let mut depths = vec![None; types.len()];
    if let Some(root) = depths.first_mut() {
        *root = Some(0);
    }
    for (place, subtypes) in types.iter().enumerate() {
        let depth = depths.get(place).copied().flatten().unwrap_or(0);
        for &subtype in subtypes {
            let Some(slot) = usize::try_from(subtype).ok().and_then(|s| depths.get_mut(s)) else {
                return false;
            };
            if subtype <= place as u64 || slot.is_some() || depth > MAX_DEPTH {
                return false;
            }
            *slot = Some(depth + 1);
        }
    }
    !types.is_empty()
}

/// The fields of a message, as Protocol Buffers write them; `None` is where it is none.
struct Fields<'a>(&'a [u8]);

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = field(&mut self.0);
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

fn field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Value<'a>)> {
    let key = number(rest)?;
    let value = match key & 7 {
        0 => Value::Number(number(rest)?),
        1 => {
            bytes(rest, 8)?;
            Value::Fixed
        }
        2 => {
            let length = number(rest)?;
            Value::Bytes(bytes(rest, length)?)
        }
        5 => {
            bytes(rest, 4)?;
            Value::Fixed
        }
        _ => return None,
    };
    Some((key >> 3, value))
}

fn bytes<'a>(rest: &mut &'a [u8], count: u64) -> Option<&'a [u8]> {
    let (bytes, behind) = rest.split_at_checked(usize::try_from(count).ok()?)?;
    *rest = behind;
    Some(bytes)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, behind) = rest.split_first()?;
        *rest = behind;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn push_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The lengths of blocks have 23 bits.
const MAX_BLOCK: u64 = 1 << 23;
const MAX_FOOTER: u64 = 256 << 20;
const MAX_DEPTH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_a_tree() {
        assert!(is_tree(&[vec![1, 2], vec![], vec![3], vec![]]));
        for circles in
            [vec![], vec![vec![0]], vec![vec![1], vec![0]], vec![vec![1, 1], vec![]], vec![vec![7]]]
        {
            assert!(!is_tree(&circles), "{circles:?}");
        }
        let deep: Vec<Vec<u64>> = (1..100).map(|next| vec![next]).chain([vec![]]).collect();
        assert!(!is_tree(&deep));
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            push_number(&mut out, value);
            let mut rest = &out[..];
            assert_eq!(number(&mut rest), Some(value));
            assert!(rest.is_empty());
        }
        assert_eq!(number(&mut &[0x80][..]), None);
        assert_eq!(number(&mut &[0xff; 11][..]), None);
    }
}
