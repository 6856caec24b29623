//! Which columns of a point count.

use super::column::PointColumn;
use super::inline_list::InlineList;
use super::point_buffer::PointBuffer;
use crate::line_protocol::duplicate_keys::DuplicateKeys;
use crate::line_protocol::short_bytes::look;

/// The columns of a point that count: of each key the last tag and the last field.
pub(super) struct LatestColumns {
    /// The places of the tags in the buffer of the point, not sorted.
    pub(super) tags: InlineList<FEW_TAGS>,
    /// The places of the fields, in the order in which they were added.
    pub(super) fields: InlineList<FEW_COLUMNS>,
    /// The place of a column that is written, and whose key is that of a written tag and of a written field.
    pub(super) clash: Option<usize>,
}

impl LatestColumns {
    pub(super) fn of(point: &PointBuffer) -> Self {
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
            // One table for both: the lowest bit of the hash distinguishes tags and fields.
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

    fn push(&mut self, place: usize, column: &PointColumn<'_>) {
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
