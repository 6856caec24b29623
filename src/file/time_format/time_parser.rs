//! The parts of a time, read one after the other.

/// The text that is still to be read. Each method reads one part, and gives none if the text does not begin with it.
pub(super) struct TimeParser<'a>(pub(super) &'a str);

impl<'a> TimeParser<'a> {
    pub(super) fn literal(&mut self, wanted: char) -> Option<()> {
        self.0 = self.0.strip_prefix(wanted)?;
        Some(())
    }

    /// The digits at the beginning, at most `most`.
    pub(super) fn digits(&mut self, most: usize) -> &'a str {
        let count = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        digits
    }

    pub(super) fn number(&mut self, most: usize) -> Option<i64> {
        // `%e` and `_2` have a blank in place of a zero.
        self.0 = self.0.strip_prefix(' ').unwrap_or(self.0);
        self.digits(most).parse().ok()
    }

    pub(super) fn exactly(&mut self, count: usize) -> Option<i64> {
        let digits = self.digits(count);
        if digits.len() == count { digits.parse().ok() } else { None }
    }

    pub(super) fn fraction(&mut self) -> Option<i64> {
        let digits = self.digits(usize::MAX);
        if digits.is_empty() {
            return None;
        }
        let padded = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
        Some(padded.fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    /// The place of one of these names, in full or its first three letters.
    pub(super) fn name(&mut self, names: &[&str]) -> Option<i64> {
        let begins = |text: &str, name: &str| {
            text.get(..name.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(name))
        };
        let place = names.iter().position(|name| begins(self.0, name.get(..3).unwrap_or(name)))?;
        let name = names.get(place)?;
        let length = if begins(self.0, name) { name.len() } else { 3 };
        self.0 = self.0.get(length..)?;
        i64::try_from(place).ok()
    }

    pub(super) fn half(&mut self) -> Option<bool> {
        let (word, rest) = self.0.split_at_checked(2)?;
        self.0 = rest;
        match word.to_ascii_lowercase().as_str() {
            "am" => Some(false),
            "pm" => Some(true),
            _ => None,
        }
    }

    pub(super) fn offset(&mut self) -> Option<i64> {
        if let Some(rest) = self.0.strip_prefix(['Z', 'z']) {
            self.0 = rest;
            return Some(0);
        }
        let sign = if self.0.starts_with('-') { -1 } else { 1 };
        self.0 = self.0.strip_prefix(['+', '-'])?;
        let hours = self.exactly(2)?;
        self.0 = self.0.strip_prefix(':').unwrap_or(self.0);
        let minutes = match self.digits(2) {
            "" => 0,
            digits if digits.len() == 2 => digits.parse().ok()?,
            _ => return None,
        };
        (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
    }

    pub(super) fn epoch(&mut self) -> Option<i128> {
        let is_negative = self.0.starts_with('-');
        self.0 = self.0.strip_prefix('-').unwrap_or(self.0);
        let seconds: i128 = self.digits(18).parse().ok()?;
        Some(if is_negative { -seconds } else { seconds })
    }
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
