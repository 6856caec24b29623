//! The line of an item, from its keys and values.

use serde_core::Serialize;

use super::item_serializer::{EntrySink, ItemSerializer};
use super::named_keys::NamedKeys;
use super::value_serializer::{SerializeError, ValueSerializer, ValueSink};
use crate::columns::{
    ColumnValue, LayoutOptions, LineTag, MeasurementRole, Role, TimeRole, field_value,
    tags_in_order,
};
use crate::line_protocol::duplicate_keys::DuplicateKeys;
use crate::line_protocol::short_bytes::{self, look};
use crate::line_protocol::{encoder, encoder::LineInProgress, escape};
use crate::record::Lines;
use crate::{Error, Result, Timestamp};

/// Makes a line of each item: what the options say of its keys, and the parts of the line of the item at hand, whose memory
/// is kept from item to item.
pub(super) struct ItemEncoder {
    layout: LayoutOptions,
    named_keys: NamedKeys,
    /// The tags of each line, in their order.
    tags: Vec<LineTag>,
    time_role: TimeRole,
    /// The measurement that the options give to all items, escaped; empty if they give none.
    given_measurement: Vec<u8>,
    /// The measurement that the item names, escaped; empty if it has named none yet.
    measurement: Vec<u8>,
    /// The same, not escaped.
    plain_measurement: String,
    /// The place of its key in [`LayoutOptions::MEASUREMENTS`], of which the first one wins; 0 for a key that the options
    /// name, and `usize::MAX` if the item has named none yet.
    measurement_rank: usize,
    /// For each of `tags` where in `tag_bytes` the item's own stands, if it has one.
    tag_places: Vec<Option<(usize, usize)>>,
    /// `,key=value` of each of the item's own tags.
    tag_bytes: Vec<u8>,
    fields: RenderedFields,
    time: Option<Timestamp>,
}

/// The fields of the item at hand, as a line has them.
struct RenderedFields {
    /// `,key=value` of each.
    bytes: Vec<u8>,
    keys: DuplicateKeys,
    /// Where in `bytes` each key stands, escaped.
    places: Vec<(usize, usize)>,
}

impl ItemEncoder {
    pub(super) fn new(layout: LayoutOptions, lines: &Lines<'_>) -> Result<Self> {
        let mut given_measurement = Vec::new();
        if let Some((key, what)) = layout.contradiction() {
            return Err(Error::invalid_record(format!(
                "the key {} cannot be {what} and excluded",
                escape::quoted(key)
            )));
        }
        if let Some(name) = &layout.measurement {
            escape::measurement(&mut given_measurement, name)?;
        }
        let tags = tags_in_order(&layout.tags, lines.rules())?;
        let precision = lines.precision();
        Ok(Self {
            time_role: TimeRole::new(layout.date_unit.unwrap_or(precision), precision),
            tag_places: vec![None; tags.len()],
            tags,
            given_measurement,
            measurement: Vec::new(),
            measurement_rank: usize::MAX,
            plain_measurement: String::new(),
            tag_bytes: Vec::new(),
            fields: RenderedFields {
                bytes: Vec::new(),
                keys: DuplicateKeys::default(),
                places: Vec::new(),
            },
            time: None,
            named_keys: NamedKeys::new(&layout, lines.rules()),
            layout,
        })
    }

    /// Appends the line of an item.
    pub(super) fn encode<T: Serialize>(&mut self, item: &T, lines: &mut Lines<'_>) -> Result<()> {
        self.clear();
        item.serialize(ItemSerializer::new(self)).map_err(|error| error.0)?;
        if self.layout.measurement.is_none() && self.measurement.is_empty() {
            return Err(Error::invalid_record(
                "the item names no measurement: name one with .measurement(…) or .measurement_key(…)",
            ));
        }
        if let (Some(key), None) = (&self.layout.timestamp_column, self.time) {
            return Err(Error::invalid_record(format!(
                "the item has no time at the key {}",
                escape::quoted(key)
            )));
        }
        lines.push_line(self.time, |line| self.write(line))
    }

    fn clear(&mut self) {
        self.measurement.clear();
        self.measurement_rank = usize::MAX;
        self.tag_places.fill(None);
        self.tag_bytes.clear();
        self.fields.bytes.clear();
        self.fields.keys.clear();
        self.fields.places.clear();
        self.time = None;
    }

    /// Appends the measurement, the tags and the fields.
    fn write(&self, line: &mut LineInProgress<'_>) {
        let out = line.out();
        out.extend_from_slice(if self.given_measurement.is_empty() {
            &self.measurement
        } else {
            &self.given_measurement
        });
        for (tag, place) in self.tags.iter().zip(&self.tag_places) {
            out.extend_from_slice(match (tag, place) {
                (_, Some((start, end))) => self.tag_bytes.get(*start..*end).unwrap_or_default(),
                (LineTag::Default(piece), None) => piece,
                (LineTag::Own(tag), None) => &tag.default,
            });
        }
        line.fields_begin_at(Some(line.len()));
        line.out().extend_from_slice(&self.fields.bytes);
    }

    /// An error if the options name a key that no item has.
    pub(super) fn check_names(&self) -> Result<()> {
        self.named_keys.check()
    }

    /// Takes the value of a key by the name that the options give the key.
    fn named_entry<T: Serialize + ?Sized>(
        &mut self,
        key: &str,
        value: &T,
    ) -> Result<(), SerializeError> {
        if self.layout.is_excluded(key) {
            return Ok(());
        }
        self.entry_unnamed(key, value).map_err(|SerializeError(error)| {
            SerializeError(error.in_context(&format!("the key {}", escape::quoted(key))))
        })
    }

    /// The same; errors do not name the key.
    fn entry_unnamed<T: Serialize + ?Sized>(
        &mut self,
        key: &str,
        value: &T,
    ) -> Result<(), SerializeError> {
        let own = |tag: &LineTag| matches!(tag, LineTag::Own(tag) if tag.key == key);
        let bytes = self.layout.binary_as_text;
        if let Some(place) = self.tags.iter().position(own) {
            return value
                .serialize(ValueSerializer::new(&mut TagSink { item: self, place }).bytes(bytes));
        }
        if key == self.layout.time() {
            return value.serialize(ValueSerializer::new(&mut TimeSink(self)).bytes(bytes));
        }
        if let Some(rank) = self.rank_of(key)
            && rank < self.measurement_rank
        {
            return value.serialize(
                ValueSerializer::new(&mut MeasurementSink { item: self, rank }).bytes(bytes),
            );
        }
        if !self.layout.can_be_field(key) {
            return Ok(());
        }
        self.check_field(key)?;
        value.serialize(
            ValueSerializer::new(&mut FieldSink { fields: &mut self.fields, key }).bytes(bytes),
        )
    }

    /// Refuses a field whose key is that of a default tag.
    fn check_field(&self, key: &str) -> Result<()> {
        let default = |tag: &LineTag| matches!(tag, LineTag::Default(piece) if is_of(piece, key));
        if self.tags.iter().any(default) {
            return Err(encoder::tag_and_field(key));
        }
        Ok(())
    }

    /// The rank of a key that can name the measurement, as in [`measurement_rank`](Self::measurement_rank); none for others.
    fn rank_of(&self, key: &str) -> Option<usize> {
        match (&self.layout.measurement, &self.layout.measurement_column) {
            (Some(_), _) => None,
            (None, Some(chosen)) => (chosen == key).then_some(0),
            (None, None) => LayoutOptions::MEASUREMENTS.iter().position(|usual| *usual == key),
        }
    }
}

impl EntrySink for ItemEncoder {
    #[inline]
    fn entry<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), SerializeError> {
        self.named_keys.see(key, &self.layout);
        if self.layout.renames.is_empty() {
            return self.named_entry(key, value);
        }
        let name = self.layout.new_name(key).to_owned();
        self.named_entry(&name, value)
    }

    fn skipped_key(&mut self, key: &str) {
        self.named_keys.see(key, &self.layout);
    }
}

/// Whether `,key=value` is of this key.
fn is_of(piece: &[u8], key: &str) -> bool {
    if short_bytes::is_plain(key.as_bytes()) {
        // A plain key is not escaped, and no other key that begins with it has an equals sign behind it.
        let rest = piece.get(1..).and_then(|rest| rest.strip_prefix(key.as_bytes()));
        return rest.is_some_and(|rest| rest.starts_with(b"="));
    }
    let mut prefix = Vec::new();
    // No default tag has a key that cannot be written.
    encoder::tag_key(&mut prefix, key).is_ok() && piece.starts_with(&prefix)
}

/// Takes the value of the tag at this place in `tags`.
struct TagSink<'a> {
    item: &'a mut ItemEncoder,
    place: usize,
}

impl ValueSink for TagSink<'_> {
    fn put(&mut self, value: ColumnValue<'_>) -> Result<()> {
        let item = &mut *self.item;
        let (Some(LineTag::Own(tag)), Some(place)) =
            (item.tags.get(self.place), item.tag_places.get_mut(self.place))
        else {
            return Ok(());
        };
        let start = item.tag_bytes.len();
        if !tag.write(&mut item.tag_bytes, value)? {
            item.tag_bytes.truncate(start);
            return Ok(());
        }
        if place.replace((start, item.tag_bytes.len())).is_some() {
            return Err(twice());
        }
        Ok(())
    }
}

/// Takes the time.
struct TimeSink<'a>(&'a mut ItemEncoder);

impl ValueSink for TimeSink<'_> {
    fn put(&mut self, value: ColumnValue<'_>) -> Result<()> {
        if let ColumnValue::Null = value {
            return Ok(());
        }
        self.0.time = Some(self.0.time_role.read(value)?);
        Ok(())
    }
}

/// Takes the measurement, from a key of this rank.
struct MeasurementSink<'a> {
    item: &'a mut ItemEncoder,
    rank: usize,
}

impl ValueSink for MeasurementSink<'_> {
    fn put(&mut self, value: ColumnValue<'_>) -> Result<()> {
        // With a null, another key may name the measurement.
        if let ColumnValue::Null = value {
            return Ok(());
        }
        let item = &mut *self.item;
        // The text at a key of lower rank, which was taken for the measurement before, is a field, as it would be if it came
        // second.
        if let Some(key) = LayoutOptions::MEASUREMENTS.get(item.measurement_rank)
            && item.layout.can_be_field(key)
        {
            item.check_field(key)?;
            FieldSink { fields: &mut item.fields, key }
                .put(ColumnValue::Text(&item.plain_measurement))?;
        }
        item.measurement_rank = self.rank;
        item.measurement.clear();
        MeasurementRole.write(&mut item.measurement, value)?;
        if let ColumnValue::Text(text) = value {
            item.plain_measurement.clear();
            item.plain_measurement.push_str(text);
        }
        Ok(())
    }
}

/// Takes the value of a field.
struct FieldSink<'a> {
    fields: &'a mut RenderedFields,
    key: &'a str,
}

impl ValueSink for FieldSink<'_> {
    #[inline]
    fn put(&mut self, value: ColumnValue<'_>) -> Result<()> {
        if let ColumnValue::Null = value {
            return Ok(());
        }
        let RenderedFields { bytes, keys, places } = &mut *self.fields;
        let start = bytes.len();
        encoder::field_key(bytes, self.key)?;
        let place = (start + 1, bytes.len() - 1);
        if !field_value(bytes, value)? {
            bytes.truncate(start);
            return Ok(());
        }
        let at = |(start, end): (usize, usize)| bytes.get(start..end).unwrap_or_default();
        let escaped = at(place);
        let is_equal =
            |number: usize| places.get(number).is_some_and(|&place| at(place) == escaped);
        if keys.enter(look(escaped).hash, places.len(), is_equal).is_some() {
            return Err(twice());
        }
        places.push(place);
        Ok(())
    }
}

#[cold]
fn twice() -> Error {
    Error::invalid_record("it is there twice, and a line has each key once: rename one")
}
