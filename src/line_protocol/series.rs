//! Which series a line is of.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::escape;
use super::text::token_end;

/// A number that is the same for all lines of one series, and seldom the same for two: a hash of measurement and tags, in
/// whatever order the tags stand and however they are escaped.
pub(crate) fn series_hash(line: &[u8]) -> u64 {
    let series = &line[..token_end(line, 0, |byte| byte == b' ')];
    let mut end = token_end(series, 0, |byte| byte == b',');
    let mut hash = hash_of(&series[..end]);
    while end < series.len() {
        let start = end + 1;
        end = token_end(series, start, |byte| byte == b',');
        let tag = series.get(start..end).unwrap_or_default();
        let (key, value) = tag.split_at(token_end(tag, 0, |byte| byte == b'='));
        hash = hash.wrapping_add(hash_of((escape::undone(key), escape::undone(value))));
    }
    hash
}

fn hash_of(value: impl Hash) -> u64 {
    // `DefaultHasher::new` has fixed keys: the hash is the same in each process and thread.
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(line: &str) -> u64 {
        series_hash(line.as_bytes())
    }

    #[test]
    fn lines_of_one_series_have_one_hash() {
        for (one, other) in [
            ("m f=1 1", "m g=\"x y\" 2"),
            ("m,a=1,b=2 f=1", "m,b=2,a=1 f=2"),
            (r"m,a=x\ y f=1", r"m,a=x\ y g=1i 1"),
            (r"m,a=x\=y f=1", "m,a=x=y f=1"),
            (r"m\ n,a=b f=1", r"m\ n,a=b f=2"),
            ("m,a=ü f=1\n", "m,a=ü f=2"),
        ] {
            assert_eq!(hash(one), hash(other), "{one} {other}");
        }
    }

    #[test]
    fn lines_of_other_series_have_others() {
        let lines = [
            "m f=1",
            "n f=1",
            "m,a=1 f=1",
            "m,a=2 f=1",
            "m,b=1 f=1",
            "m,a=1,b=1 f=1",
            "m,a=1,b=2 f=1",
            "m,a=2,b=1 f=1",
            r"m\,a=1 f=1",
            r"m,a=1\,b\=1 f=1",
            r"m\ n f=1",
        ];
        let mut hashes = lines.map(hash);
        hashes.sort_unstable();
        assert!(hashes.windows(2).all(|two| two[0] != two[1]), "{hashes:?}");
    }

    #[test]
    fn whatever_is_no_line_has_a_hash_as_well() {
        for text in ["", ",", "=", "m,", "m,,", "m,a", "m,a=", r"m\", r"m,a=\", "m,a=b\\\\"] {
            hash(text);
        }
    }
}
