//! Formats of `strftime`.

use super::format_item::FormatItem;
use crate::line_protocol::escape;
use crate::{Error, Result};

/// The items of a format: of the conversions of `strftime`, those that say when.
///
/// # Errors
/// It has another conversion.
pub(super) fn items(text: &str) -> Result<Vec<FormatItem>> {
    let mut items = Vec::new();
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        if next != '%' {
            items.push(FormatItem::literal(next));
            continue;
        }
        let conversion = rest.next();
        items.extend_from_slice(match conversion {
            Some('Y') => &[FormatItem::Year],
            Some('y') => &[FormatItem::ShortYear],
            Some('m') => &[FormatItem::Month],
            Some('b' | 'B' | 'h') => &[FormatItem::MonthName],
            Some('d' | 'e') => &[FormatItem::Day],
            Some('j') => &[FormatItem::DayOfYear],
            Some('a' | 'A') => &[FormatItem::WeekdayName],
            Some('H' | 'k') => &[FormatItem::Hour],
            Some('I' | 'l') => &[FormatItem::HalfDayHour],
            Some('p' | 'P') => &[FormatItem::Half],
            Some('M') => &[FormatItem::Minute],
            Some('S') => &[FormatItem::Second],
            Some('f') => &[FormatItem::Fraction],
            Some('z') => &[FormatItem::Offset],
            Some('s') => &[FormatItem::Epoch],
            Some('F') => {
                &[FormatItem::Year, FormatItem::Literal('-'), FormatItem::Month, FormatItem::Literal('-'), FormatItem::Day]
            }
            Some('D') => {
                &[FormatItem::Month, FormatItem::Literal('/'), FormatItem::Day, FormatItem::Literal('/'), FormatItem::ShortYear]
            }
            Some('T') => {
                &[FormatItem::Hour, FormatItem::Literal(':'), FormatItem::Minute, FormatItem::Literal(':'), FormatItem::Second]
            }
            Some('R') => &[FormatItem::Hour, FormatItem::Literal(':'), FormatItem::Minute],
            Some('%') => &[FormatItem::Literal('%')],
            Some('n' | 't') => &[FormatItem::Blanks],
            other => {
                let conversion: String = other.into_iter().collect();
                return Err(Error::config(format!(
                    "the time format {} has the conversion %{conversion}, which is not known: use %Y %y %m %b %d %j %H \
                     %I %p %M %S %f %z %s %F %T %R %D %a",
                    escape::quoted(text)
                )));
            }
        });
    }
    Ok(items)
}
