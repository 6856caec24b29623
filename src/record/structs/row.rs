//! A serializer for one item: from its keys and values to a line.

use serde_core::ser::{self, Impossible, Serialize, Serializer};

use super::names::Names;
use super::scalar::{Failed, Scalar, Sink, nested};
use crate::columns::{
    Cell, LayoutOptions, LineTag, Measurement, Role, Time, field_value, tags_in_order,
};
use crate::line_protocol::duplicate_keys::DuplicateKeys;
use crate::line_protocol::short_bytes::{self, look};
use crate::line_protocol::{encoder, encoder::LineInProgress, escape};
use crate::record::Lines;
use crate::{Error, Result, Timestamp};

/// The parts of the line in the making; the memory is kept from item to item.
pub(super) struct Row {
    layout: LayoutOptions,
    names: Names,
    tags: Vec<LineTag>,
    times: Time,
    /// The name given for all items, escaped.
    fixed: Vec<u8>,
    /// The name that the item gives, escaped, and how good the key is (0 is the best).
    name: Vec<u8>,
    name_rank: usize,
    /// The same name as it stood there.
    plain_name: String,
    /// For each of `tags` what the item has for it, in `tag_bytes`.
    tag_places: Vec<Option<(usize, usize)>>,
    tag_bytes: Vec<u8>,
    fields: Fields,
    time: Option<Timestamp>,
}

/// The fields of the line in the making, and their keys.
struct Fields {
    bytes: Vec<u8>,
    keys: DuplicateKeys,
    /// Where each key stands, escaped.
    places: Vec<(usize, usize)>,
}

impl Row {
    pub(super) fn new(layout: LayoutOptions, lines: &Lines<'_>) -> Result<Self> {
        let mut fixed = Vec::new();
        if let Some((key, what)) = layout.contradiction() {
            return Err(Error::invalid_record(format!(
                "the key {} cannot be {what} and excluded",
                escape::quoted(key)
            )));
        }
        if let Some(name) = &layout.measurement {
            escape::measurement(&mut fixed, name)?;
        }
        let tags = tags_in_order(&layout.tags, lines.rules())?;
        let precision = lines.precision();
        Ok(Self {
            times: Time::new(layout.date_unit.unwrap_or(precision), precision),
            tag_places: vec![None; tags.len()],
            tags,
            fixed,
            name: Vec::new(),
            name_rank: usize::MAX,
            plain_name: String::new(),
            tag_bytes: Vec::new(),
            fields: Fields {
                bytes: Vec::new(),
                keys: DuplicateKeys::default(),
                places: Vec::new(),
            },
            time: None,
            names: Names::new(&layout, lines.rules()),
            layout,
        })
    }

    /// Appends the line of an item.
    pub(super) fn encode<T: Serialize>(&mut self, item: &T, lines: &mut Lines<'_>) -> Result<()> {
        self.clear();
        item.serialize(Entries { row: self, key: String::new() }).map_err(|failed| failed.0)?;
        if self.layout.measurement.is_none() && self.name.is_empty() {
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
        self.name.clear();
        self.name_rank = usize::MAX;
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
        out.extend_from_slice(if self.fixed.is_empty() { &self.name } else { &self.fixed });
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

    /// An error if the options name a key that no item had.
    pub(super) fn check_names(&self) -> Result<()> {
        self.names.check()
    }

    fn entry<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Failed> {
        self.names.see(key, &self.layout);
        if self.layout.renames.is_empty() {
            return self.named_entry(key, value);
        }
        let name = self.layout.new_name(key).to_owned();
        self.named_entry(&name, value)
    }

    fn named_entry<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Failed> {
        if self.layout.is_excluded(key) {
            return Ok(());
        }
        self.entry_unnamed(key, value).map_err(|Failed(error)| {
            Failed(error.in_context(&format!("the key {}", escape::quoted(key))))
        })
    }

    fn entry_unnamed<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Failed> {
        let own = |tag: &LineTag| matches!(tag, LineTag::Own(tag) if tag.key == key);
        let bytes = self.layout.binary_as_text;
        if let Some(place) = self.tags.iter().position(own) {
            return value.serialize(Scalar::new(&mut TagSink { row: self, place }).bytes(bytes));
        }
        if key == self.layout.time() {
            return value.serialize(Scalar::new(&mut TimeSink(self)).bytes(bytes));
        }
        if let Some(rank) = self.measurement_rank(key)
            && rank < self.name_rank
        {
            return value.serialize(Scalar::new(&mut NameSink { row: self, rank }).bytes(bytes));
        }
        if !self.layout.can_be_field(key) {
            return Ok(());
        }
        self.check_field(key)?;
        value.serialize(Scalar::new(&mut FieldSink { fields: &mut self.fields, key }).bytes(bytes))
    }

    fn check_field(&self, key: &str) -> Result<()> {
        let default = |tag: &LineTag| matches!(tag, LineTag::Default(piece) if is_of(piece, key));
        if self.tags.iter().any(default) {
            return Err(encoder::tag_and_field(key));
        }
        Ok(())
    }

    /// How good a key for the measurement this is, if it is one.
    fn measurement_rank(&self, key: &str) -> Option<usize> {
        match (&self.layout.measurement, &self.layout.measurement_column) {
            (Some(_), _) => None,
            (None, Some(chosen)) => (chosen == key).then_some(0),
            (None, None) => LayoutOptions::MEASUREMENTS.iter().position(|usual| *usual == key),
        }
    }
}

/// Whether `,key=value` is of this key.
fn is_of(piece: &[u8], key: &str) -> bool {
    if short_bytes::is_plain(key.as_bytes()) {
        // It stands there as it is, and no other key has an equals sign behind it.
        let rest = piece.get(1..).and_then(|rest| rest.strip_prefix(key.as_bytes()));
        return rest.is_some_and(|rest| rest.starts_with(b"="));
    }
    let mut prefix = Vec::new();
    // A key that cannot be written has no piece.
    encoder::tag_key(&mut prefix, key).is_ok() && piece.starts_with(&prefix)
}

struct TagSink<'a> {
    row: &'a mut Row,
    place: usize,
}

impl Sink for TagSink<'_> {
    fn put(&mut self, cell: Cell<'_>) -> Result<()> {
        let row = &mut *self.row;
        let (Some(LineTag::Own(tag)), Some(place)) =
            (row.tags.get(self.place), row.tag_places.get_mut(self.place))
        else {
            return Ok(());
        };
        let start = row.tag_bytes.len();
        if !tag.write(&mut row.tag_bytes, cell)? {
            row.tag_bytes.truncate(start);
            return Ok(());
        }
        if place.replace((start, row.tag_bytes.len())).is_some() {
            return Err(twice());
        }
        Ok(())
    }
}

struct TimeSink<'a>(&'a mut Row);

impl Sink for TimeSink<'_> {
    fn put(&mut self, cell: Cell<'_>) -> Result<()> {
        if let Cell::Null = cell {
            return Ok(());
        }
        self.0.time = Some(self.0.times.read(cell)?);
        Ok(())
    }
}

struct NameSink<'a> {
    row: &'a mut Row,
    rank: usize,
}

impl Sink for NameSink<'_> {
    fn put(&mut self, cell: Cell<'_>) -> Result<()> {
        // A null names nothing, and another key may.
        if let Cell::Null = cell {
            return Ok(());
        }
        let row = &mut *self.row;
        // The name that stood at a key of less worth is a field, as it is where it comes second.
        if let Some(key) = LayoutOptions::MEASUREMENTS.get(row.name_rank)
            && row.layout.can_be_field(key)
        {
            row.check_field(key)?;
            FieldSink { fields: &mut row.fields, key }.put(Cell::Text(&row.plain_name))?;
        }
        row.name_rank = self.rank;
        row.name.clear();
        Measurement.write(&mut row.name, cell)?;
        if let Cell::Text(text) = cell {
            row.plain_name.clear();
            row.plain_name.push_str(text);
        }
        Ok(())
    }
}

struct FieldSink<'a> {
    fields: &'a mut Fields,
    key: &'a str,
}

impl Sink for FieldSink<'_> {
    #[inline]
    fn put(&mut self, cell: Cell<'_>) -> Result<()> {
        if let Cell::Null = cell {
            return Ok(());
        }
        let Fields { bytes, keys, places } = &mut *self.fields;
        let start = bytes.len();
        encoder::field_key(bytes, self.key)?;
        let place = (start + 1, bytes.len() - 1);
        if !field_value(bytes, cell)? {
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

/// Takes an item apart.
struct Entries<'a> {
    row: &'a mut Row,
    key: String,
}

#[cold]
fn not_an_item(what: &str) -> Failed {
    Failed(Error::invalid_record(format!("an item is a struct or a map, not {what}")))
}

macro_rules! not_items {
    ($($name:ident($($type:ty),*) => $what:expr;)*) => {$(
        fn $name(self, $(_: $type),*) -> Result<(), Failed> {
            Err(not_an_item($what))
        }
    )*};
}

impl Serializer for Entries<'_> {
    type Ok = ();
    type Error = Failed;
    type SerializeSeq = Impossible<(), Failed>;
    type SerializeTuple = Impossible<(), Failed>;
    type SerializeTupleStruct = Impossible<(), Failed>;
    type SerializeTupleVariant = Impossible<(), Failed>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Failed>;

    not_items! {
        serialize_bool(bool) => "a boolean";
        serialize_i8(i8) => "a number";
        serialize_i16(i16) => "a number";
        serialize_i32(i32) => "a number";
        serialize_i64(i64) => "a number";
        serialize_u8(u8) => "a number";
        serialize_u16(u16) => "a number";
        serialize_u32(u32) => "a number";
        serialize_u64(u64) => "a number";
        serialize_f32(f32) => "a number";
        serialize_f64(f64) => "a number";
        serialize_char(char) => "a text";
        serialize_str(&str) => "a text";
        serialize_bytes(&[u8]) => "bytes";
        serialize_none() => "nothing";
        serialize_unit() => "nothing";
        serialize_unit_struct(&'static str) => "nothing";
        serialize_unit_variant(&'static str, u32, &'static str) => "the variant of an enum";
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Failed> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: &T,
    ) -> Result<(), Failed> {
        Err(nested(&format!("the variant {variant}")))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Impossible<(), Failed>, Failed> {
        Err(not_an_item("a sequence"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Impossible<(), Failed>, Failed> {
        Err(not_an_item("a tuple"))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Failed>, Failed> {
        Err(not_an_item("a tuple"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Failed>, Failed> {
        Err(nested(&format!("the variant {variant}")))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Failed> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Failed> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Failed>, Failed> {
        Err(nested(&format!("the variant {variant}")))
    }
}

impl ser::SerializeStruct for Entries<'_> {
    type Ok = ();
    type Error = Failed;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        self.row.entry(key, value)
    }

    fn skip_field(&mut self, key: &'static str) -> Result<(), Failed> {
        self.row.names.see(key, &self.row.layout);
        Ok(())
    }

    fn end(self) -> Result<(), Failed> {
        Ok(())
    }
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Failed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failed> {
        self.key.clear();
        key.serialize(Scalar::new(&mut KeySink(&mut self.key)))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        self.row.entry(&self.key, value)
    }

    fn end(self) -> Result<(), Failed> {
        Ok(())
    }
}

struct KeySink<'a>(&'a mut String);

impl Sink for KeySink<'_> {
    fn put(&mut self, cell: Cell<'_>) -> Result<()> {
        match cell {
            Cell::Text(text) => self.0.push_str(text),
            Cell::Integer(value) => self.0.push_str(itoa::Buffer::new().format(value)),
            Cell::Unsigned(value) => self.0.push_str(itoa::Buffer::new().format(value)),
            _ => return Err(Error::invalid_record("a key of a map must be a text or an integer")),
        }
        Ok(())
    }
}
