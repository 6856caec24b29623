use std::borrow::Cow;

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
/// | `&str`, `String`, `Cow<str>` | string |
/// | `None` | nothing: the field is left out |
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

impl From<isize> for FieldValue<'_> {
    #[inline]
    fn from(value: isize) -> Self {
        Self::Integer(value as i64) // at most 64 bits on every platform of Rust
    }
}

impl From<usize> for FieldValue<'_> {
    #[inline]
    fn from(value: usize) -> Self {
        Self::Unsigned(value as u64) // at most 64 bits on every platform of Rust
    }
}

impl<'a> From<&'a str> for FieldValue<'a> {
    #[inline]
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a String> for FieldValue<'a> {
    #[inline]
    fn from(text: &'a String) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

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

impl<'a, T: Into<Self>> From<Option<T>> for FieldValue<'a> {
    #[inline]
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
