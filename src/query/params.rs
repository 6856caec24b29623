//! What else can be the value of a parameter.

use std::sync::Arc;

use super::ticket::Param;
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
use crate::Timestamp;

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
