use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use crate::Timestamp;

/// The value of a field.
///
/// Made by [`Point::field`](crate::Point::field) and [`Line::field`](crate::Line::field) from numbers, booleans and
/// texts, and from an [`Option`] of one of them.
///
/// | Rust | column of the server |
/// |---|---|
/// | `f64`, `f32` | float; an `f32` is written in its own shortest form, `0.1` and not `0.10000000149011612` |
/// | `i8` to `i64`, `isize` | integer |
/// | `u8` to `u64`, `usize` | unsigned integer |
/// | `bool` | boolean |
/// | `&str`, `String`, `Cow<str>`, `Box<str>`, `Rc<str>`, `Arc<str>`, `char` | string |
/// | [`Timestamp`](crate::Timestamp) | string, in RFC 3339: no field of InfluxDB is a time. For a number, take [`as_nanos`](crate::Timestamp::as_nanos) |
/// | `None` | nothing: the field is left out |
///
/// References to all of these are taken as well.
///
/// NaN and infinities are left out as well, as the server has no place for them.
///
/// ```
/// use influxdb3_blocking::FieldValue;
///
/// assert_eq!(FieldValue::from(42), FieldValue::Integer(42));
/// assert_eq!(FieldValue::from(42u8), FieldValue::Unsigned(42));
/// assert_eq!(FieldValue::from(None::<f64>), FieldValue::Null);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FieldValue<'a> {
    /// A number of double precision.
    Float(f64),
    /// A number of single precision.
    Float32(f32),
    /// A signed integer.
    Integer(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// True or false.
    Boolean(bool),
    /// A text, of any characters.
    Text(Cow<'a, str>),
    /// No value: the field is left out.
    Null,
}

impl FieldValue<'_> {
    /// Whether a line has the field at all.
    #[inline]
    pub(crate) fn is_written(&self) -> bool {
        match self {
            Self::Float(value) => value.is_finite(),
            Self::Float32(value) => value.is_finite(),
            Self::Null => false,
            Self::Integer(_) | Self::Unsigned(_) | Self::Boolean(_) | Self::Text(_) => true,
        }
    }
}

macro_rules! from_number {
    ($($from:ty => $variant:ident),* $(,)?) => {$(
        impl From<$from> for FieldValue<'_> {
            #[inline]
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }

        impl From<&$from> for FieldValue<'_> {
            #[inline]
            fn from(value: &$from) -> Self {
                Self::from(*value)
            }
        }
    )*};
}

from_number! {
    f64 => Float,
    f32 => Float32,
    i8 => Integer,
    i16 => Integer,
    i32 => Integer,
    i64 => Integer,
    u8 => Unsigned,
    u16 => Unsigned,
    u32 => Unsigned,
    u64 => Unsigned,
    bool => Boolean,
}

macro_rules! from_size {
    ($($from:ty => $variant:ident($wide:ty)),* $(,)?) => {$(
        impl From<$from> for FieldValue<'_> {
            #[inline]
            fn from(value: $from) -> Self {
                Self::$variant(value as $wide) // at most 64 bits on every platform of Rust
            }
        }

        impl From<&$from> for FieldValue<'_> {
            #[inline]
            fn from(value: &$from) -> Self {
                Self::from(*value)
            }
        }
    )*};
}

from_size! {
    isize => Integer(i64),
    usize => Unsigned(u64),
}

macro_rules! from_text {
    ($($from:ty),* $(,)?) => {$(
        impl<'a> From<&'a $from> for FieldValue<'a> {
            #[inline]
            fn from(text: &'a $from) -> Self {
                Self::Text(Cow::Borrowed(text))
            }
        }
    )*};
}

from_text!(str, &str, String, Cow<'_, str>, Box<str>, Rc<str>, Arc<str>);

macro_rules! from_owned_text {
    ($($from:ty),* $(,)?) => {$(
        impl From<$from> for FieldValue<'_> {
            #[inline]
            fn from(text: $from) -> Self {
                Self::Text(Cow::Owned(text.to_string()))
            }
        }
    )*};
}

from_owned_text!(Box<str>, Rc<str>, Arc<str>, char, &char);

impl From<String> for FieldValue<'_> {
    #[inline]
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for FieldValue<'a> {
    #[inline]
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}

/// As text in RFC 3339, such as `2022-01-01T08:00:00Z`, in UTC.
impl From<Timestamp> for FieldValue<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Text(Cow::Owned(time.to_string()))
    }
}

/// As text in RFC 3339, such as `2022-01-01T08:00:00Z`, in UTC.
impl From<&Timestamp> for FieldValue<'_> {
    fn from(time: &Timestamp) -> Self {
        Self::from(*time)
    }
}

impl<'a> From<&'a FieldValue<'_>> for FieldValue<'a> {
    fn from(value: &'a FieldValue<'_>) -> Self {
        match value {
            FieldValue::Float(value) => Self::Float(*value),
            FieldValue::Float32(value) => Self::Float32(*value),
            FieldValue::Integer(value) => Self::Integer(*value),
            FieldValue::Unsigned(value) => Self::Unsigned(*value),
            FieldValue::Boolean(value) => Self::Boolean(*value),
            FieldValue::Text(text) => Self::Text(Cow::Borrowed(text)),
            FieldValue::Null => Self::Null,
        }
    }
}

impl<'a, T: Into<Self>> From<Option<T>> for FieldValue<'a> {
    #[inline]
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Of what can be copied; of an `Option<String>` take `.as_deref()` or `.as_ref()`.
impl<'a, T: Copy + Into<Self>> From<&Option<T>> for FieldValue<'a> {
    #[inline]
    fn from(value: &Option<T>) -> Self {
        (*value).into()
    }
}
