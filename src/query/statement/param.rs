use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use crate::Timestamp;

/// The value of a query parameter.
///
/// Made from `bool`, integers, floats, `char`, text (`&str`, `String`, `Box<str>`, `Arc<str>`, `Cow<str>`), [`Timestamp`],
/// `SystemTime` and, with the features of these names, the instants of chrono, jiff and time, and from an `Option` of
/// these, `None` being null. Times are sent as text in UTC, which the server compares with its times.
///
/// ```no_run
/// # fn main() -> Result<(), influxdb3_blocking::Error> {
/// # let client = influxdb3_blocking::Client::from_env()?;
/// let table = client
///     .query("SELECT * FROM home WHERE room = $room AND temp > $limit")
///     .param("room", "Kitchen")
///     .param("limit", 21.5)
///     .table()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Param(pub(super) ParamValue);

/// What a [`Param`] holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ParamValue {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Double(f64),
    /// Not made an `f64`, whose shortest text is longer: 0.1_f32 is sent as `0.1`, and a field that was written from
    /// `0.1_f32` holds that.
    Single(f32),
    Text(String),
    Time(Timestamp),
}

/// Sources that a [`ParamValue`] holds as they are.
macro_rules! param_holds {
    ($($variant:ident: $($source:ty)*;)*) => {
        $($(
            impl From<$source> for Param {
                fn from(value: $source) -> Self {
                    Self(ParamValue::$variant(value.into()))
                }
            }
        )*)*
    };
}

param_holds! {
    Bool: bool;
    Signed: i8 i16 i32 i64;
    Unsigned: u8 u16 u32 u64;
    Double: f64;
    Single: f32;
    Text: &str String &String Cow<'_, str>;
    Time: Timestamp SystemTime;
}

impl<T: Into<Self>> From<Option<T>> for Param {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self(ParamValue::Null), Into::into)
    }
}

/// Sources that are first made another source.
macro_rules! param_from {
    ($($source:ty: $value:ident => $as:expr;)*) => {
        $(
            impl From<$source> for Param {
                fn from($value: $source) -> Self {
                    Self::from($as)
                }
            }
        )*
    };
}

param_from! {
    // No platform of Rust has pointers of more than 64 bits.
    usize: value => value as u64;
    isize: value => value as i64;
    char: value => String::from(value);
    Box<str>: value => String::from(value);
    Arc<str>: value => &*value;
    &Arc<str>: value => &**value;
}

/// As the instant that it is, in any time zone.
#[cfg(feature = "chrono")]
impl<Tz: chrono::TimeZone> From<chrono::DateTime<Tz>> for Param {
    fn from(value: chrono::DateTime<Tz>) -> Self {
        Timestamp::from(value).into()
    }
}

#[cfg(feature = "jiff")]
param_from! {
    jiff::Timestamp: value => Timestamp::from(value);
    jiff::Zoned: value => Timestamp::from(value);
    &jiff::Zoned: value => Timestamp::from(value);
}

#[cfg(feature = "time")]
param_from! {
    time::OffsetDateTime: value => Timestamp::from(value);
}
