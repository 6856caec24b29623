//! Layouts of Go's package `time`, which annotated CSV has: they write the parts of Monday, 2 January 2006, 15:04:05 at -0700.

use super::format_item::FormatItem;

/// The items of a layout.
pub(super) fn items(text: &str) -> Vec<FormatItem> {
    let mut items = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let part = PARTS.iter().find(|(layout, _)| rest.starts_with(layout));
        let (length, item) = match part {
            Some((layout, item)) => (layout.len(), *item),
            None if matches!(first, '.' | ',') && items.last() == Some(&FormatItem::Second) => {
                let decimals =
                    rest.bytes().skip(1).take_while(|byte| matches!(byte, b'0' | b'9')).count();
                match decimals {
                    0 => (1, FormatItem::literal(first)),
                    decimals => (decimals + 1, FormatItem::MarkAndFraction),
                }
            }
            None => (first.len_utf8(), FormatItem::literal(first)),
        };
        items.push(item);
        rest = rest.get(length..).unwrap_or_default();
        // Go reads decimals behind seconds whether the layout has them or not.
        if item == FormatItem::Second && !rest.starts_with(['.', ',']) {
            items.push(FormatItem::MarkAndFraction);
        }
    }
    items
}

/// The parts of layouts, each before those that it begins with.
const PARTS: [(&str, FormatItem); 26] = [
    ("2006", FormatItem::Year),
    ("06", FormatItem::ShortYear),
    ("January", FormatItem::MonthName),
    ("Jan", FormatItem::MonthName),
    ("Monday", FormatItem::WeekdayName),
    ("Mon", FormatItem::WeekdayName),
    ("002", FormatItem::DayOfYear),
    ("01", FormatItem::Month),
    ("02", FormatItem::Day),
    ("_2", FormatItem::Day),
    ("15", FormatItem::Hour),
    ("03", FormatItem::HalfDayHour),
    ("04", FormatItem::Minute),
    ("05", FormatItem::Second),
    ("-07:00", FormatItem::Offset),
    ("-0700", FormatItem::Offset),
    ("-07", FormatItem::Offset),
    ("Z07:00", FormatItem::Offset),
    ("Z0700", FormatItem::Offset),
    ("PM", FormatItem::Half),
    ("pm", FormatItem::Half),
    ("1", FormatItem::Month),
    ("2", FormatItem::Day),
    ("3", FormatItem::HalfDayHour),
    ("4", FormatItem::Minute),
    ("5", FormatItem::Second),
];
