//! Identifiers that look like those of the real server.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
};

/// A UUID.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Uuid(u128);

impl Uuid {
    /// A random one.
    pub(crate) fn v4() -> Uuid {
        Uuid::with_version(random(), 4)
    }

    /// One that begins with the time.
    pub(crate) fn v7(now_nanos: i64) -> Uuid {
        let millis = u128::from(now_nanos.unsigned_abs() / 1_000_000);
        Uuid::with_version(millis << 80 | random() >> 48, 7)
    }

    fn with_version(bits: u128, version: u128) -> Uuid {
        let bits = bits & !(0xf << 76) & !(0b11 << 62);
        Uuid(bits | version << 76 | 0b10 << 62)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        f.write_str(&parts.join("-"))
    }
}

/// Every hasher of the standard library has keys of its own: random enough for a name.
fn random() -> u128 {
    let half = || u128::from(RandomState::new().hash_one(0));
    half() << 64 | half()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_in_their_places() {
        let v4 = Uuid::v4().to_string();
        assert_eq!((v4.len(), &v4[14..15]), (36, "4"));
        let v7 = Uuid::v7(1_700_000_000_000_000_000).to_string();
        assert!(v7.starts_with("018bcfe5-6800-7"), "{v7}");
    }
}
