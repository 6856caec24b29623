//! A key or measurement already in the buffer that later lines may repeat.

use crate::line_protocol::short_bytes;

/// The measurement or a key of a line; a key includes the byte before it and the equals sign after it.
#[derive(Clone, Copy, Default)]
pub(crate) struct RememberedKey {
    /// Where its escaped form begins in the buffer.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The unescaped text, if it fits 32 bytes, so that comparing needs no look into the buffer.
    text: [u8; 32],
    /// The length of `text`; 0 if it did not fit.
    length: usize,
    /// Whether the escaped form equals the text.
    is_plain: bool,
}

impl RememberedKey {
    /// The bytes from `start` on, which are the escaped form of `unescaped`.
    pub(crate) fn of(bytes: &[u8], start: usize, unescaped: [&[u8]; 3]) -> Self {
        let length = unescaped.iter().map(|text| text.len()).sum::<usize>();
        // Escaping only adds bytes.
        let is_plain = bytes.len() - start == length;
        let mut known = Self { start, end: bytes.len(), is_plain, ..Self::default() };
        if length <= known.text.len() {
            let all = unescaped.into_iter().flatten();
            known.text.iter_mut().zip(all).for_each(|(place, byte)| *place = *byte);
            known.length = length;
        }
        known
    }

    /// Whether it can be written again without the buffer: the text fits and needs no escaping.
    pub(crate) fn stands_alone(&self) -> bool {
        self.is_plain && self.length > 0
    }

    /// Appends the escaped form again, and refers to the new place from now on.
    #[inline(always)]
    pub(crate) fn append_again(&mut self, bytes: &mut Vec<u8>) {
        if !self.is_plain {
            return self.copy(bytes);
        }
        self.start = bytes.len();
        short_bytes::append_chunk(bytes, &self.text, self.length);
        self.end = bytes.len();
    }

    /// As [`append_again`](Self::append_again), for a key that was escaped or does not fit the text.
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

    /// The key, unescaped.
    pub(crate) fn key<'a>(&'a self, bytes: &'a [u8]) -> &'a [u8] {
        // A key without a text is long; such keys are remembered only if they needed no escaping.
        let text = match self.length {
            0 => bytes.get(self.start..self.end),
            length => self.text.get(..length),
        };
        match text {
            Some([_, key @ .., _]) => key,
            _ => &[],
        }
    }

    /// As [`is_key`](Self::is_key), for a key that does not fit the text.
    pub(crate) fn is_long_key(&self, bytes: &[u8], before: u8, key: &str) -> bool {
        let written = bytes.get(self.start..self.end).unwrap_or_default();
        self.length == 0
            && self.is_plain
            && written.len() == key.len() + 2
            && written.starts_with(&[before])
            && written.get(1..=key.len()) == Some(key.as_bytes())
    }
}
