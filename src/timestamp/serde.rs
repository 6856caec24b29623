//! The serde form of a time: text for formats that people read, two integers for all others.

use std::fmt;

use serde_core::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde_core::ser::{Error as _, Serialize, Serializer};

use super::{NANOS_PER_SECOND, Timestamp};

impl Timestamp {
    /// The name of the newtype, by which [`Structs`](crate::Structs) knows a time.
    pub(crate) const SERDE_NAME: &'static str = "influxdb3_blocking::Timestamp";
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(Self::SERDE_NAME, &Inside(*self))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(Self::SERDE_NAME, InsideVisitor)
    }
}

/// What is inside of the newtype.
struct Inside(Timestamp);

impl Serialize for Inside {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(&self.0);
        }
        let (seconds, nanos) = self.0.seconds_and_nanos();
        let seconds = i64::try_from(seconds)
            .map_err(|_| S::Error::custom("the time is beyond 64 bits of seconds"))?;
        (seconds, nanos).serialize(serializer)
    }
}

/// What a format makes of the newtype.
struct InsideVisitor;

impl<'de> Visitor<'de> for InsideVisitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(ReadableVisitor)
        } else {
            deserializer.deserialize_tuple(2, PairVisitor)
        }
    }

    /// Nanoseconds, as timestamps of an answer have them.
    fn visit_i128<E: de::Error>(self, nanos: i128) -> Result<Timestamp, E> {
        Ok(Timestamp::from_nanos(nanos))
    }
}

/// The form for people, and what others write in its place.
struct ReadableVisitor;

impl Visitor<'_> for ReadableVisitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time as text (RFC 3339), or as nanoseconds since 1970")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, nanos: i64) -> Result<Timestamp, E> {
        Ok(Timestamp::nanos(nanos))
    }

    fn visit_u64<E: de::Error>(self, nanos: u64) -> Result<Timestamp, E> {
        Ok(Timestamp::from_nanos(nanos.into()))
    }
}

/// The form for all other formats.
struct PairVisitor;

impl<'de> Visitor<'de> for PairVisitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds and nanoseconds since 1970")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Timestamp, A::Error> {
        let (Some(seconds), Some(nanos)) =
            (parts.next_element::<i64>()?, parts.next_element::<u32>()?)
        else {
            return Err(de::Error::invalid_length(2, &self));
        };
        Ok(Timestamp::from_nanos(i128::from(seconds) * NANOS_PER_SECOND + i128::from(nanos)))
    }
}
