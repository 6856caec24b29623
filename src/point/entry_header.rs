//! The header before each entry of a point's buffer.
//!
//! It is one word of 32 bits, little-endian:
//!
//! | bits | what they are |
//! |---|---|
//! | 0 to 2 | the [`EntryKind`] |
//! | 3, 4 | the [`EntryForm`] |
//! | 5 | whether the lengths stand behind it, in two words of 64 bits |
//! | 8 to 15 | a part of the hash of the key |
//! | 16 to 23 | the length of the key in bytes |
//! | 24 to 31 | the length of the value in bytes |

/// What an entry is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum EntryKind {
    Tag = 0,
    Text = 1,
    Float = 2,
    Float32 = 3,
    Integer = 4,
    Unsigned = 5,
    Boolean = 6,
    Null = 7,
}

/// How an entry is written to a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum EntryForm {
    /// It is copied.
    AsItStands = 0,
    /// Its value has to be escaped, or cannot be written.
    EscapeValue = 1,
    /// Its key has to be escaped, or cannot be written, and perhaps its value as well.
    EscapeKey = 2,
    /// It has no value that a line can have.
    LeftOut = 3,
}

/// The header of an entry. If the key or the value is longer than 255 bytes, both lengths stand behind it.
#[derive(Clone, Copy)]
pub(super) struct EntryHeader(u32);

impl EntryForm {
    #[inline(always)]
    pub(super) fn of(key_is_plain: bool, value_is_plain: bool) -> Self {
        match (key_is_plain, value_is_plain) {
            (true, true) => Self::AsItStands,
            (true, false) => Self::EscapeValue,
            (false, _) => Self::EscapeKey,
        }
    }
}

impl EntryHeader {
    /// The longest key or value, in bytes, whose length fits the header.
    pub(super) const LONGEST: usize = 255;

    /// The bits of the form.
    const FORM: u32 = 3 << 3;
    /// The bit of an entry whose lengths stand behind the header.
    const LONG: u32 = 1 << 5;

    /// Appends the header of an entry whose key and value have these lengths in bytes, and gives it back.
    pub(super) fn push(
        bytes: &mut Vec<u8>,
        kind: EntryKind,
        form: EntryForm,
        hash: u64,
        key: usize,
        value: usize,
    ) -> Self {
        if key <= Self::LONGEST && value <= Self::LONGEST {
            let header = Self::short(kind, form, hash, key, value);
            bytes.extend_from_slice(&header.0.to_le_bytes());
            return header;
        }
        let header = Self(Self::short(kind, form, hash, key & 0xff, 0).0 | Self::LONG);
        bytes.extend_from_slice(&header.0.to_le_bytes());
        bytes.extend_from_slice(&(key as u64).to_le_bytes());
        bytes.extend_from_slice(&(value as u64).to_le_bytes());
        header
    }

    /// Of a key and a value, neither longer than [`LONGEST`](Self::LONGEST).
    #[inline(always)]
    pub(super) fn short(
        kind: EntryKind,
        form: EntryForm,
        hash: u64,
        key: usize,
        value: usize,
    ) -> Self {
        let bits = kind as u32 | (form as u32) << 3;
        let hash = u32::from((hash >> 8) as u8);
        Self(bits | hash << 8 | (key as u32) << 16 | (value as u32) << 24)
    }

    /// The same with the length of a number's text, which is 0 so far, and always fits.
    #[inline(always)]
    pub(super) fn with_value_length(self, length: usize) -> Self {
        if self.is_long() { self } else { Self(self.0 | (length as u32) << 24) }
    }

    /// Stores the header at its place in the buffer, as a whole, as it is read: the processor passes on what was just
    /// written only to a read of the same width. Of a long one only the length of the value is stored.
    #[inline(always)]
    pub(super) fn store(self, bytes: &mut [u8], place: usize, value_length: usize) {
        if self.is_long() {
            let length = bytes.get_mut(place + 12..).and_then(|bytes| bytes.first_chunk_mut());
            if let Some(length) = length {
                *length = (value_length as u64).to_le_bytes();
            }
        } else if let Some(header) = bytes.get_mut(place..).and_then(|b| b.first_chunk_mut()) {
            *header = self.0.to_le_bytes();
        }
    }

    /// The word itself.
    #[inline(always)]
    pub(super) fn bits(self) -> u32 {
        self.0
    }

    /// The header at the beginning of some bytes, and what stands behind it.
    #[inline(always)]
    pub(super) fn split_off(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (header, behind) = bytes.split_first_chunk()?;
        Some((Self(u32::from_le_bytes(*header)), behind))
    }

    #[inline(always)]
    pub(super) fn kind(self) -> EntryKind {
        match self.0 & 7 {
            0 => EntryKind::Tag,
            1 => EntryKind::Text,
            2 => EntryKind::Float,
            3 => EntryKind::Float32,
            4 => EntryKind::Integer,
            5 => EntryKind::Unsigned,
            6 => EntryKind::Boolean,
            _ => EntryKind::Null,
        }
    }

    #[inline(always)]
    pub(super) fn form(self) -> EntryForm {
        match self.0 >> 3 & 3 {
            0 => EntryForm::AsItStands,
            1 => EntryForm::EscapeValue,
            2 => EntryForm::EscapeKey,
            _ => EntryForm::LeftOut,
        }
    }

    /// Whether the entry is copied to a line as it stands, and the header has its lengths.
    #[inline(always)]
    pub(super) fn is_usual(self) -> bool {
        self.0 & (Self::FORM | Self::LONG) == 0
    }

    #[inline(always)]
    pub(super) fn key_length(self) -> usize {
        (self.0 >> 16 & 0xff) as usize
    }

    #[inline(always)]
    pub(super) fn is_long(self) -> bool {
        self.0 & Self::LONG != 0
    }

    /// Whether the key may be that of another header: the lengths and the parts of the hashes are equal. Neither is long.
    #[inline(always)]
    pub(super) fn may_have_key_of(self, other: Self) -> bool {
        const HASH_AND_KEY: u32 = 0x00ff_ff00;
        (self.0 ^ other.0) & HASH_AND_KEY == 0
    }

    /// The length of the column behind it, `,key=value`, if it is not long.
    #[inline(always)]
    pub(super) fn entry_length(self) -> usize {
        self.key_length() + 2 + self.value_length()
    }

    #[inline(always)]
    fn value_length(self) -> usize {
        (self.0 >> 24) as usize
    }

    /// The lengths of the key and the value, and what stands behind the header and its lengths.
    #[inline(always)]
    pub(super) fn lengths(self, behind: &[u8]) -> Option<(usize, usize, &[u8])> {
        if self.is_long() {
            return Self::long_lengths(behind);
        }
        Some((self.key_length(), self.value_length(), behind))
    }

    #[cold]
    fn long_lengths(behind: &[u8]) -> Option<(usize, usize, &[u8])> {
        let (key, behind) = behind.split_first_chunk()?;
        let (value, behind) = behind.split_first_chunk()?;
        Some((u64::from_le_bytes(*key) as usize, u64::from_le_bytes(*value) as usize, behind))
    }
}
