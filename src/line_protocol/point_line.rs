//! From the columns of a point to its line.

use crate::line_protocol::duplicate_keys::DuplicateKeys;
use crate::line_protocol::encoder::{self, Encoded, LineInProgress};
use crate::line_protocol::inline_list::InlineList;
use crate::line_protocol::point_buffer::{Column, PointBuffer};
use crate::line_protocol::short_bytes::{self, look};
use crate::line_protocol::{TagRules, escape};
use crate::{Precision, Result};

/// Appends the line of a point, newline included. The buffer is as it was unless there is a line.
pub(crate) fn encode(
    point: &PointBuffer,
    precision: Precision,
    rules: &TagRules,
    out: &mut Vec<u8>,
) -> Result<Encoded> {
    let mut line = LineInProgress::begin(out);
    match point.plain_measurement() {
        Some(plain) => short_bytes::append(line.out(), plain),
        None => escape::measurement(line.out(), point.measurement())?,
    }
    let columns = if rules.is_empty() && point.stands_as_written() {
        point.write_columns(line.out()).map(|fields| line.fields_begin_at(fields))
    } else {
        in_any_order(point, rules, &mut line)
    };
    columns
        .and_then(|()| line.finish(point.time(), precision))
        .map_err(|error| encoder::of_measurement(error, point.measurement()))
}

/// The columns of a point that count: the last of each key.
pub(crate) struct Latest {
    /// The places of the tags, in no order.
    pub(crate) tags: InlineList<FEW_TAGS>,
    /// The places of the fields, as they came.
    pub(crate) fields: InlineList<FEW_COLUMNS>,
    /// The place of a column whose key is written both as a tag and as a field.
    clash: Option<usize>,
}

impl Latest {
    pub(crate) fn of(point: &PointBuffer) -> Self {
        let mut latest = Self { tags: InlineList::new(), fields: InlineList::new(), clash: None };
        if point.may_have_equal_keys() {
            latest.fill_with_last_of_each_key(point);
        } else {
            point.columns().for_each(|(place, column)| latest.push(place, &column));
        }
        latest
    }

    fn fill_with_last_of_each_key(&mut self, point: &PointBuffer) {
        let mut places = InlineList::<FEW_COLUMNS>::new();
        point.columns().for_each(|(place, _)| places.push(place));
        let mut keys = DuplicateKeys::default();
        let mut kept = InlineList::<FEW_COLUMNS>::new();
        keys.clear();
        for &place in places.as_slice().iter().rev() {
            let Some(column) = point.column_at(place) else { continue };
            // Tags and fields are two sets of keys in one.
            let hash = look(column.key_bytes()).hash ^ u64::from(column.is_tag());
            let same = |other: usize, is_tag: bool| {
                let other = point.column_at(other);
                other.filter(|o| o.is_tag() == is_tag && o.key_bytes() == column.key_bytes())
            };
            if keys.enter(hash, place, |other| same(other, column.is_tag()).is_some()).is_some() {
                continue; // a later one counts
            }
            kept.push(place);
            let other = keys.find(hash ^ 1, |other| same(other, !column.is_tag()).is_some());
            let other = other.and_then(|place| point.column_at(place));
            if column.is_written() && other.is_some_and(|other| other.is_written()) {
                self.clash = Some(place);
            }
        }
        for &place in kept.as_slice().iter().rev() {
            if let Some(column) = point.column_at(place) {
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

/// The columns after sorting, with default tags, and of equal keys only the last.
fn in_any_order(
    point: &PointBuffer,
    rules: &TagRules,
    line: &mut LineInProgress<'_>,
) -> Result<()> {
    let Latest { mut tags, fields, clash } = Latest::of(point);
    if let Some(column) = clash.and_then(|place| point.column_at(place)) {
        return Err(encoder::tag_and_field(column.key()));
    }
    let at = |place: &usize| point.column_at(*place);
    let key = |place: &usize| at(place).map_or(&[][..], |column| column.key_bytes());
    tags.as_mut_slice().sort_unstable_by(|a, b| rules.compare(key(a), key(b)));

    let mut defaults = rules.defaults().iter().peekable();
    for tag_column in tags.as_slice().iter().filter_map(at).filter(Column::is_written) {
        let own = tag_column.key_bytes();
        while let Some(tag) =
            defaults.next_if(|tag| rules.compare(tag.key().as_bytes(), own).is_le())
        {
            if tag.key().as_bytes() != own {
                line.out().extend_from_slice(tag.piece());
            }
        }
        tag_column.write(line.out())?;
    }
    defaults.for_each(|tag| line.out().extend_from_slice(tag.piece()));

    line.fields_begin_at(Some(line.len()));
    for column in fields.as_slice().iter().filter_map(at) {
        column.write(line.out())?;
    }
    if rules.filter().meets(&point.filter()) {
        let written = fields.as_slice().iter().filter_map(at).filter(Column::is_written);
        for column in written {
            if rules.defaults().iter().any(|tag| tag.key().as_bytes() == column.key_bytes()) {
                return Err(encoder::tag_and_field(column.key()));
            }
        }
    }
    Ok(())
}
