/// A part of a format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FormatItem {
    Literal(char),
    /// Any number of blanks.
    Blanks,
    /// Four digits.
    Year,
    /// Two digits: 1969 to 2068.
    ShortYear,
    Month,
    /// In English, in full or its first three letters.
    MonthName,
    Day,
    DayOfYear,
    /// In English; says nothing.
    WeekdayName,
    Hour,
    /// From 1 to 12.
    HalfDayHour,
    /// `AM` or `PM`, in any case.
    Half,
    Minute,
    Second,
    /// The decimals of a second.
    Fraction,
    /// A mark and the decimals of a second, or nothing.
    MarkAndFraction,
    /// `Z`, `+01`, `+0100` or `+01:00`.
    Offset,
    /// Seconds since 1970.
    Epoch,
}

impl FormatItem {
    /// What a character of a format that is no part of a time stands for: white space for any number of blanks, and every
    /// other character for itself.
    pub(super) fn literal(character: char) -> Self {
        if character.is_ascii_whitespace() { Self::Blanks } else { Self::Literal(character) }
    }
}
