//! What stands in a buffer and may come again.

use crate::line_protocol::short_bytes;

/// The measurement or a key of a line; a key with the byte before it and the equals sign behind it.
#[derive(Clone, Copy, Default)]
pub(crate) struct RememberedKey {
    /// Where in the buffer it stands.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// What it came as, if that is not longer than this: to be looked at without asking where in the buffer it is.
    text: [u8; 32],
    /// The length of the text; 0 if it is not there.
    length: usize,
    /// Whether it was written as it came.
    is_plain: bool,
}

impl RememberedKey {
    /// What stands in the buffer from a place on, which came as these texts.
    pub(crate) fn of(bytes: &[u8], start: usize, came: [&[u8]; 3]) -> Self {
        let length = came.iter().map(|text| text.len()).sum::<usize>();
        // It was escaped if it is longer than it came.
        let is_plain = bytes.len() - start == length;
        let mut known = Self { start, end: bytes.len(), is_plain, ..Self::default() };
        if length <= known.text.len() {
            let all = came.into_iter().flatten();
            known.text.iter_mut().zip(all).for_each(|(place, byte)| *place = *byte);
            known.length = length;
        }
        known
    }

    /// Whether it can be written again without the buffer in which it stands.
    pub(crate) fn stands_alone(&self) -> bool {
        self.is_plain && self.length > 0
    }

    /// Appends what stands in the buffer already, and is there from now on.
    #[inline(always)]
    pub(crate) fn append_again(&mut self, bytes: &mut Vec<u8>) {
        if !self.is_plain {
            return self.copy(bytes);
        }
        self.start = bytes.len();
        short_bytes::append_chunk(bytes, &self.text, self.length);
        self.end = bytes.len();
    }

    /// As [`append_again`](Self::append_again), for what was not written as it came or is too long for the text.
    #[inline(never)]
    pub(crate) fn copy(&mut self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.extend_from_within(self.start..self.end);
        (self.start, self.end) = (start, bytes.len());
    }

    #[inline(always)]
    pub(crate) fn is(&self, name: &str) -> bool {
        let text = self.text.get(..self.length);
        !name.is_empty() && text.is_some_and(|text| short_bytes::is_equal(text, name.as_bytes()))
    }

    #[inline(always)]
    pub(crate) fn is_key(&self, before: u8, key: &str) -> bool {
        let text = self.text.get(1..=key.len());
        self.length == key.len() + 2
            && self.text[0] == before
            && text.is_some_and(|text| short_bytes::is_equal(text, key.as_bytes()))
    }

    /// The key, as it came.
    pub(crate) fn key<'a>(&'a self, bytes: &'a [u8]) -> &'a [u8] {
        // What has no text is long, and is known only if it was written as it came.
        let text = match self.length {
            0 => bytes.get(self.start..self.end),
            length => self.text.get(..length),
        };
        match text {
            Some([_, key @ .., _]) => key,
            _ => &[],
        }
    }

    /// As [`is_key`](Self::is_key), for a key that is too long for the text.
    pub(crate) fn is_long_key(&self, bytes: &[u8], before: u8, key: &str) -> bool {
        let written = bytes.get(self.start..self.end).unwrap_or_default();
        self.length == 0
            && self.is_plain
            && written.len() == key.len() + 2
            && written.starts_with(&[before])
            && written.get(1..=key.len()) == Some(key.as_bytes())
    }
}
