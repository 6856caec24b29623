//! Which kinds of values were seen in a column, and the one type that holds them.

use super::ColumnType;

/// What was seen in a column. The order in which it was seen does not matter.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct SeenKinds(u16);

impl SeenKinds {
    /// Fits 64 bits with a sign.
    pub(super) const INTEGER: Self = Self(1);
    /// Fits 64 bits without a sign only.
    pub(super) const LARGE: Self = Self(1 << 1);
    /// An integer that fits no 64 bits.
    pub(super) const HUGE: Self = Self(1 << 2);
    pub(super) const NEGATIVE: Self = Self(1 << 3);
    pub(super) const FLOAT: Self = Self(1 << 4);
    pub(super) const BOOLEAN: Self = Self(1 << 5);
    pub(super) const TEXT: Self = Self(1 << 6);
    /// No value, and among numbers the sign of floats.
    pub(super) const NAN: Self = Self(1 << 7);
    /// A word that is no value among numbers and booleans, and a text among texts.
    pub(super) const WORD: Self = Self(1 << 8);
    /// A number with the other one of the two decimal marks.
    pub(super) const OTHER_MARK: Self = Self(1 << 9);

    #[inline]
    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    #[inline]
    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The one type that holds everything that was seen.
    pub(super) fn column_type(self) -> ColumnType {
        let numbers = [Self::INTEGER, Self::LARGE, Self::HUGE, Self::FLOAT];
        let has_numbers = numbers.into_iter().any(|number| self.has(number));
        if self.has(Self::TEXT)
            || self.has(Self::OTHER_MARK)
            || (self.has(Self::BOOLEAN) && has_numbers)
        {
            ColumnType::Text
        } else if self.has(Self::BOOLEAN) {
            ColumnType::Boolean
        } else if self.has(Self::FLOAT) {
            ColumnType::Float
        } else if self.has(Self::HUGE) || (self.has(Self::LARGE) && self.has(Self::NEGATIVE)) {
            // No integer holds them all, and a float would change them. A NaN is no value, and does not make them floats.
            ColumnType::Text
        } else if self.has(Self::NAN) {
            ColumnType::Float
        } else if self.has(Self::LARGE) {
            ColumnType::Unsigned
        } else if self.has(Self::INTEGER) {
            ColumnType::Integer
        } else {
            ColumnType::Text
        }
    }

    /// Whether there were values of types that have nothing in common. Integers beyond 64 bits go with texts, too.
    pub(super) fn is_mixed(self) -> bool {
        let has_numbers = [Self::INTEGER, Self::LARGE, Self::FLOAT].iter().any(|n| self.has(*n));
        let has_texts = self.has(Self::TEXT) || self.has(Self::OTHER_MARK);
        let kinds = [has_numbers, self.has(Self::BOOLEAN), has_texts];
        kinds.into_iter().filter(|is_there| *is_there).count() > 1
    }

    /// Whether all texts that were seen are numbers with the other decimal mark.
    pub(super) fn is_of_other_mark(self) -> bool {
        self.has(Self::OTHER_MARK) && !self.has(Self::TEXT)
    }

    /// Adds an integer's digits, without a sign.
    pub(super) fn add_integer(&mut self, negative: bool, digits: &str) {
        if negative {
            self.add(Self::NEGATIVE);
        }
        self.add(match digits.parse::<u64>() {
            Ok(value) if value <= i64::MAX as u64 + u64::from(negative) => Self::INTEGER,
            Ok(_) if !negative => Self::LARGE,
            _ => Self::HUGE,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(seen: &[SeenKinds]) -> ColumnType {
        let mut all = SeenKinds::default();
        seen.iter().for_each(|&one| all.add(one));
        all.column_type()
    }

    #[test]
    fn the_type_holds_everything_that_was_seen() {
        assert_eq!(of(&[]), ColumnType::Text);
        assert_eq!(of(&[SeenKinds::INTEGER]), ColumnType::Integer);
        assert_eq!(of(&[SeenKinds::INTEGER, SeenKinds::FLOAT]), ColumnType::Float);
        assert_eq!(of(&[SeenKinds::INTEGER, SeenKinds::LARGE]), ColumnType::Unsigned);
        assert_eq!(
            of(&[SeenKinds::LARGE, SeenKinds::NEGATIVE, SeenKinds::INTEGER]),
            ColumnType::Text
        );
        assert_eq!(of(&[SeenKinds::HUGE]), ColumnType::Text);
        assert_eq!(of(&[SeenKinds::HUGE, SeenKinds::FLOAT]), ColumnType::Float);
        assert_eq!(of(&[SeenKinds::HUGE, SeenKinds::NAN]), ColumnType::Text);
        assert_eq!(of(&[SeenKinds::LARGE, SeenKinds::NEGATIVE, SeenKinds::NAN]), ColumnType::Text);
        assert_eq!(of(&[SeenKinds::INTEGER, SeenKinds::NAN]), ColumnType::Float);
        assert_eq!(of(&[SeenKinds::BOOLEAN]), ColumnType::Boolean);
        assert_eq!(of(&[SeenKinds::BOOLEAN, SeenKinds::INTEGER]), ColumnType::Text);
        assert_eq!(of(&[SeenKinds::TEXT, SeenKinds::FLOAT]), ColumnType::Text);
    }

    #[test]
    fn integers_are_told_apart_at_the_limits() {
        let of = |negative, digits| {
            let mut seen = SeenKinds::default();
            seen.add_integer(negative, digits);
            seen.column_type()
        };
        assert_eq!(of(false, "9223372036854775807"), ColumnType::Integer);
        assert_eq!(of(false, "9223372036854775808"), ColumnType::Unsigned);
        assert_eq!(of(true, "9223372036854775808"), ColumnType::Integer);
        assert_eq!(of(true, "9223372036854775809"), ColumnType::Text);
        assert_eq!(of(false, "18446744073709551616"), ColumnType::Text);
    }
}
