//! Text that is packed as a whole, known by its first bytes.

use std::io::Read;

use super::FileFormat;
use super::input::{Input, Origin};
use super::unreadable;
use crate::{Error, Result};

/// What is around a text format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FileCompression {
    None,
    Gzip,
    Zstd,
}

impl FileCompression {
    /// How the bytes are compressed, by their first bytes and not by the name of the file.
    ///
    /// # Errors
    /// They are packed in a way that cannot be read, or for a format that is not packed as a whole.
    pub(super) fn of(origin: &Origin<'_>, format: FileFormat) -> Result<Self> {
        let first = Input::first(origin, 6)?;
        let starts = |magic: &[u8]| first.starts_with(magic);
        let (compression, name) = if starts(b"\x1f\x8b") {
            (Self::Gzip, "gzip")
        } else if starts(b"\x28\xb5\x2f\xfd") {
            (Self::Zstd, "zstd")
        } else if starts(b"BZh") {
            return Err(cannot_decompress("bzip2"));
        } else if starts(b"\xfd7zXZ\0") {
            return Err(cannot_decompress("xz"));
        } else if starts(b"PK\x03\x04") {
            return Err(cannot_decompress("zip"));
        } else {
            return Ok(Self::None);
        };
        if !format.can_be_compressed() {
            return Err(unreadable(format!(
                "it is packed with {name}, and {} packs its own parts: unpack it first",
                format.name()
            )));
        }
        match compression {
            Self::Gzip if !cfg!(feature = "gzip") => Err(super::format::off("gzip", "gzip")),
            Self::Zstd if !cfg!(feature = "zstd") => Err(super::format::off("zstd", "zstd")),
            compression => Ok(compression),
        }
    }
}

impl<'a> Input<'a> {
    /// The bytes, unpacked.
    pub(super) fn decompressed(self, compression: FileCompression) -> Box<dyn Read + 'a> {
        match compression {
            FileCompression::None => Box::new(self),
            #[cfg(feature = "gzip")]
            FileCompression::Gzip => {
                let buffered = std::io::BufReader::with_capacity(64 * 1024, self);
                Box::new(super::gunzip::Gunzip::new(buffered))
            }
            #[cfg(feature = "zstd")]
            FileCompression::Zstd => match zstd::Decoder::new(self) {
                Ok(decoder) => Box::new(decoder),
                Err(error) => Box::new(FailedReader(Some(error))),
            },
            // `FileCompression::of` has refused it.
            #[cfg(not(all(feature = "gzip", feature = "zstd")))]
            _ => Box::new(self),
        }
    }
}

/// Bytes that could not be unpacked from the first one on.
#[cfg(feature = "zstd")]
struct FailedReader(Option<std::io::Error>);

#[cfg(feature = "zstd")]
impl Read for FailedReader {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

fn cannot_decompress(name: &str) -> Error {
    unreadable(format!(
        "it is packed with {name}, which is not read here: unpack it, or use gzip or zstd"
    ))
}
