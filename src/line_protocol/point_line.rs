//! From the columns of a point to its line.

use crate::line_protocol::encoder::{self, Encoded};
use crate::line_protocol::few::Few;
use crate::line_protocol::keys::Keys;
use crate::line_protocol::packed::{Column, Packed};
use crate::line_protocol::words::{self, look};
use crate::line_protocol::{TagRules, escape};
use crate::{Precision, Result};

/// Appends the line of a point, newline included. The buffer is as it was unless there is a line.
pub(crate) fn encode(
    columns: &Packed,
    precision: Precision,
    rules: &TagRules,
    out: &mut Vec<u8>,
) -> Result<Encoded> {
    let start = out.len();
    match line(columns, precision, rules, out) {
        Ok(true) => Ok(Encoded::Line),
        Ok(false) => {
            out.truncate(start);
            Ok(Encoded::NoFields)
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

/// The columns of a point that count: the last of each key.
pub(crate) struct Latest {
    /// The places of the tags, in no order.
    pub(crate) tags: Few<FEW_TAGS>,
    /// The places of the fields, as they came.
    pub(crate) fields: Few<FEW_COLUMNS>,
    /// The place of a column whose key is written both as a tag and as a field.
    clash: Option<usize>,
}

impl Latest {
    pub(crate) fn of(columns: &Packed) -> Self {
        let mut latest = Self { tags: Few::new(), fields: Few::new(), clash: None };
        if columns.may_have_equal_keys() {
            latest.fill_with_last_of_each_key(columns);
        } else {
            columns.columns().for_each(|(place, column)| latest.push(place, &column));
        }
        latest
    }

    fn fill_with_last_of_each_key(&mut self, columns: &Packed) {
        let mut places = Few::<FEW_COLUMNS>::new();
        columns.columns().for_each(|(place, _)| places.push(place));
        let mut keys = Keys::default();
        let mut kept = Few::<FEW_COLUMNS>::new();
        keys.clear();
        for &place in places.as_slice().iter().rev() {
            let Some(column) = columns.column(place) else { continue };
            // Tags and fields are two sets of keys in one.
            let hash = look(column.key_bytes()).hash ^ u64::from(column.is_tag());
            let same = |other: usize, is_tag: bool| {
                let other = columns.column(other);
                other.filter(|o| o.is_tag() == is_tag && o.key_bytes() == column.key_bytes())
            };
            if keys.enter(hash, place, |other| same(other, column.is_tag()).is_some()).is_some() {
                continue; // a later one counts
            }
            kept.push(place);
            let other = keys.find(hash ^ 1, |other| same(other, !column.is_tag()).is_some());
            let other = other.and_then(|place| columns.column(place));
            if column.is_written() && other.is_some_and(|other| other.is_written()) {
                self.clash = Some(place);
            }
        }
        for &place in kept.as_slice().iter().rev() {
            if let Some(column) = columns.column(place) {
                self.push(place, &column);
            }
        }
    }

    fn push(&mut self, place: usize, column: &Column<'_>) {
        if column.is_tag() {
            self.tags.push(place);
        } else {
            self.fields.push(place);
        }
    }
}

/// How many tags a point can have in any order before sorting them takes an allocation.
const FEW_TAGS: usize = 16;
/// How many columns a point can have before telling equal keys apart takes an allocation.
const FEW_COLUMNS: usize = 32;

/// Appends all of it, and tells whether there was a field.
fn line(
    columns: &Packed,
    precision: Precision,
    rules: &TagRules,
    out: &mut Vec<u8>,
) -> Result<bool> {
    match columns.plain_measurement() {
        Some(plain) => words::append(out, plain),
        None => escape::measurement(out, columns.measurement())?,
    }
    let has_fields = if columns.is_in_order() && !columns.may_have_equal_keys() && rules.is_empty()
    {
        in_order(columns, out)
    } else {
        in_any_order(columns, rules, out)
    };
    let named = |error| encoder::of_measurement(error, columns.measurement());
    if !has_fields.map_err(named)? {
        return Ok(false);
    }
    encoder::end(out, columns.time(), precision).map_err(named)?;
    Ok(true)
}

/// The columns as they stand.
fn in_order(columns: &Packed, out: &mut Vec<u8>) -> Result<bool> {
    let mut first = true;
    for (_, column) in columns.columns() {
        if column.is_tag() {
            tag(&column, out)?;
        } else {
            field(&column, &mut first, out)?;
        }
    }
    Ok(!first)
}

/// The columns after sorting, with default tags, and of equal keys only the last.
fn in_any_order(columns: &Packed, rules: &TagRules, out: &mut Vec<u8>) -> Result<bool> {
    let Latest { mut tags, fields, clash } = Latest::of(columns);
    if let Some(column) = clash.and_then(|place| columns.column(place)) {
        return Err(encoder::tag_and_field(column.key()));
    }
    let at = |place: &usize| columns.column(*place);
    let key = |place: &usize| at(place).map_or(&[][..], |column| column.key_bytes());
    tags.as_mut_slice().sort_unstable_by(|a, b| rules.compare(key(a), key(b)));

    let mut defaults = rules.defaults().iter().peekable();
    for tag_column in tags.as_slice().iter().filter_map(at).filter(Column::is_written) {
        let own = tag_column.key_bytes();
        while let Some(tag) =
            defaults.next_if(|tag| rules.compare(tag.key().as_bytes(), own).is_le())
        {
            if tag.key().as_bytes() != own {
                out.extend_from_slice(tag.piece());
            }
        }
        tag(&tag_column, out)?;
    }
    defaults.for_each(|tag| out.extend_from_slice(tag.piece()));

    let mut first = true;
    for column in fields.as_slice().iter().filter_map(at) {
        field(&column, &mut first, out)?;
    }
    if rules.filter().meets(&columns.filter()) {
        let written = fields.as_slice().iter().filter_map(at).filter(Column::is_written);
        for column in written {
            if rules.defaults().iter().any(|tag| tag.key().as_bytes() == column.key_bytes()) {
                return Err(encoder::tag_and_field(column.key()));
            }
        }
    }
    Ok(!first)
}

#[inline(always)]
fn tag(column: &Column<'_>, out: &mut Vec<u8>) -> Result<()> {
    if column.is_plain() {
        column.append(out, 0);
        return Ok(());
    }
    encoder::tag(out, column.key(), column.tag_value())
}

#[inline(always)]
fn field(column: &Column<'_>, first: &mut bool, out: &mut Vec<u8>) -> Result<()> {
    if !column.is_written() {
        return Ok(());
    }
    if column.is_plain() {
        out.push(if *first { b' ' } else { b',' });
        column.append(out, 1);
        if !column.is_text() {
            encoder::field_value(out, &column.number());
        }
    } else {
        encoder::field_key(out, *first, column.key())?;
        encoder::field_value(out, &column.field_value());
    }
    *first = false;
    Ok(())
}
