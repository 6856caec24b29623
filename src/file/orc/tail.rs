//! The tail of an ORC file, looked at and mended before its reader reads it.
//!
//! The reader follows the tree of types wherever the file leads it: one that goes in circles ends the process, as a
//! stack that overflows cannot be caught. It also asks for a buffer of whatever length the file says. And it wants what
//! Hive 0.11 did not write: the length of the stripes' statistics, and how many digits decimals have.

use std::io::Read;

use bytes::Bytes;
use orc_rust::compression::{Compression, Decompressor};
use orc_rust::proto::r#type::Kind;
use orc_rust::proto::{CompressionKind, Footer, PostScript, Type};
use orc_rust::reader::metadata::read_metadata;
use prost_for_orc::Message;

use super::{MendedFile, damaged};
use crate::file::random_access::RandomAccess;
use crate::file::unreadable;
use crate::{Error, Result};

/// The file as its reader can read it.
///
/// # Errors
/// It is something that the reader does not survive.
pub(super) fn mend(file: RandomAccess) -> Result<MendedFile> {
    let (mut postscript, footer_end) = read_postscript(&file)?;
    if postscript.compression_block_size.is_some_and(|size| size > MAX_BLOCK) {
        return Err(unreadable("it is damaged: its blocks are too long"));
    }
    let length = postscript.footer_length.filter(|&length| length <= MAX_FOOTER);
    let footer_at = length.and_then(|length| footer_end.checked_sub(length)).ok_or_else(no_end)?;
    let packed = file.bytes_at(footer_at, footer_end - footer_at).map_err(damaged)?;
    let mut unpacked = Vec::new();
    // A footer over the limit is cut, and what is cut is refused.
    Decompressor::new(packed.clone().into(), compression(&postscript)?, Vec::new())
        .take(MAX_FOOTER)
        .read_to_end(&mut unpacked)
        .map_err(|error| unreadable(format!("it is damaged: {error}")).with_source(error))?;
    let mut footer = Footer::decode(&*unpacked).map_err(|_| no_end())?;
    if !is_tree(&footer.types) {
        return Err(unreadable("it is damaged: its types are no tree"));
    }
    if footer.types.first().is_none_or(|root| root.kind() != Kind::Struct) {
        return Err(unreadable("its rows are single values and have no columns"));
    }
    let footer = match add_digits(&mut footer.types) {
        true => stored(&footer.encode_to_vec(), &postscript),
        false => packed,
    };
    postscript.footer_length = Some(footer.len() as u64);
    postscript.metadata_length.get_or_insert(0);
    let mut tail = footer;
    end_with(&mut tail, &postscript);
    Ok(MendedFile::new(file, footer_at, tail.into()))
}

/// The postscript, and where the footer before it ends.
fn read_postscript(file: &RandomAccess) -> Result<(PostScript, u64)> {
    let read = || {
        let end = file.len().checked_sub(1)?;
        let length = u64::from(*file.bytes_at(end, 1).ok()?.first()?);
        let start = end.checked_sub(length)?;
        let postscript = PostScript::decode(&*file.bytes_at(start, length).ok()?).ok()?;
        Some((postscript, start))
    };
    read().ok_or_else(no_end)
}

/// The reader makes this value from a file only, so that here is the shortest file of this compression.
fn compression(postscript: &PostScript) -> Result<Option<Compression>> {
    let root = Type { kind: Some(Kind::Struct.into()), ..Type::default() };
    let footer = Footer { types: vec![root], ..Footer::default() };
    let mut file = stored(&footer.encode_to_vec(), postscript);
    let shortest = PostScript {
        footer_length: Some(file.len() as u64),
        compression: postscript.compression,
        compression_block_size: postscript.compression_block_size,
        metadata_length: Some(0),
        ..PostScript::default()
    };
    end_with(&mut file, &shortest);
    let metadata = read_metadata(&mut Bytes::from(file)).map_err(damaged)?;
    Ok(metadata.compression())
}

/// Gives decimals that are to have any number of digits as many as can be held; says whether there was one.
fn add_digits(types: &mut [Type]) -> bool {
    let mut found = false;
    for decimal in types.iter_mut().filter(|t| t.kind() == Kind::Decimal && t.precision() == 0) {
        (decimal.precision, decimal.scale) = (Some(38), Some(18));
        found = true;
    }
    found
}

/// The bytes as a file has them where they do not pay to be compressed.
fn stored(bytes: &[u8], postscript: &PostScript) -> Vec<u8> {
    if postscript.compression() == CompressionKind::None {
        return bytes.to_vec();
    }
    let size = postscript.compression_block_size.unwrap_or(MAX_BLOCK).clamp(1, MAX_BLOCK - 1);
    let mut out = Vec::new();
    for block in bytes.chunks(usize::try_from(size).unwrap_or(usize::MAX)) {
        let header = (block.len() as u32) << 1 | 1;
        out.extend_from_slice(header.to_le_bytes().get(..3).unwrap_or_default());
        out.extend_from_slice(block);
    }
    out
}

fn end_with(file: &mut Vec<u8>, postscript: &PostScript) {
    let before = file.len();
    // Appending to a vector does not fail.
    let _ = postscript.encode(file);
    file.push((file.len() - before) as u8);
}

/// Whether each type but the first is part of one that stands before it, of only one, and not too deep.
fn is_tree(types: &[Type]) -> bool {
    let mut depths = vec![None; types.len()];
    if let Some(root) = depths.first_mut() {
        *root = Some(0);
    }
    for (place, of) in types.iter().enumerate() {
        let depth = depths.get(place).copied().flatten().unwrap_or(0);
        for &subtype in &of.subtypes {
            let Some(slot) = usize::try_from(subtype).ok().and_then(|s| depths.get_mut(s)) else {
                return false;
            };
            if u64::from(subtype) <= place as u64 || slot.is_some() || depth > MAX_DEPTH {
                return false;
            }
            *slot = Some(depth + 1);
        }
    }
    !types.is_empty()
}

#[cold]
fn no_end() -> Error {
    unreadable("it is damaged, or no ORC: its end is no end")
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
        let tree = |types: &[Vec<u32>]| {
            let one = |subtypes: &Vec<u32>| Type { subtypes: subtypes.clone(), ..Type::default() };
            is_tree(&types.iter().map(one).collect::<Vec<_>>())
        };
        assert!(tree(&[vec![1, 2], vec![], vec![3], vec![]]));
        for circles in
            [vec![], vec![vec![0]], vec![vec![1], vec![0]], vec![vec![1, 1], vec![]], vec![vec![7]]]
        {
            assert!(!tree(&circles), "{circles:?}");
        }
        let deep: Vec<Vec<u32>> = (1..100).map(|next| vec![next]).chain([vec![]]).collect();
        assert!(!tree(&deep));
    }
}
