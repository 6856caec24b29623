/// A list that is on the stack while it is short.
#[derive(Debug)]
pub(super) struct InlineList<const N: usize> {
    inline: [usize; N],
    len: usize,
    /// All of it, once it is longer.
    spilled: Vec<usize>,
}

impl<const N: usize> InlineList<N> {
    pub(super) const fn new() -> Self {
        Self { inline: [0; N], len: 0, spilled: Vec::new() }
    }

    #[inline]
    pub(super) fn push(&mut self, item: usize) {
        match self.inline.get_mut(self.len) {
            Some(place) => *place = item,
            None => {
                if self.len == N {
                    self.spilled.extend_from_slice(&self.inline);
                }
                self.spilled.push(item);
            }
        }
        self.len += 1;
    }

    #[inline]
    pub(super) fn as_slice(&self) -> &[usize] {
        self.inline.get(..self.len).unwrap_or(&self.spilled)
    }

    #[inline]
    pub(super) fn as_mut_slice(&mut self) -> &mut [usize] {
        self.inline.get_mut(..self.len).unwrap_or(&mut self.spilled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_list_below_at_and_above_its_inline_length() {
        for length in [0, 1, 3, 4, 5, 9] {
            let mut few = InlineList::<4>::new();
            (0..length).for_each(|item| few.push(item));
            assert_eq!(few.as_slice(), (0..length).collect::<Vec<_>>());
            few.as_mut_slice().reverse();
            assert_eq!(few.as_slice(), (0..length).rev().collect::<Vec<_>>());
        }
    }
}
