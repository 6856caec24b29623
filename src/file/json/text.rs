//! JSON as text: where the values of objects and arrays are, each of them as it stands.
//!
//! `serde_json` makes numbers of digits, and which ones depends on its features; here a value stays its text, so that no
//! digit is changed. `NaN`, `Infinity` and `-Infinity`, which are no JSON and which Python writes, are values as well.

use std::borrow::Cow;
use std::fmt;

/// Why a text is no JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Malformed {
    what: &'static str,
    /// The place in the text, in bytes from 0.
    place: usize,
}

/// Hands on the keys and values of an object, until one is refused with false.
pub(super) fn entries<'a>(
    object: &'a str,
    mut each: impl FnMut(Cow<'a, str>, &'a str) -> bool,
) -> Result<(), Malformed> {
    let mut scanner = JsonScanner { text: object, at: 0 };
    scanner.blanks();
    let mut is_wanted = true;
    scanner.object(0, |key, value| {
        if is_wanted {
            is_wanted = each(unescape(key)?, value);
        }
        Some(is_wanted)
    })?;
    if is_wanted { scanner.end() } else { Ok(()) }
}

/// The elements of an array.
pub(super) fn elements(array: &str) -> Result<Vec<&str>, Malformed> {
    let mut scanner = JsonScanner { text: array, at: 0 };
    scanner.blanks();
    let mut elements = Vec::new();
    scanner.array(0, |element| elements.push(element))?;
    scanner.end()?;
    Ok(elements)
}

/// The value of a text in quotes; none if it has an escape that means nothing.
pub(super) fn unescape(quoted: &str) -> Option<Cow<'_, str>> {
    match memchr::memchr(b'\\', quoted.as_bytes()) {
        None => quoted.get(1..quoted.len().checked_sub(1)?).map(Cow::Borrowed),
        Some(_) => serde_json::from_str(quoted).ok().map(Cow::Owned),
    }
}

/// The text of one value, blanks around it left out.
pub(super) fn value(text: &str) -> Result<&str, Malformed> {
    let mut scanner = JsonScanner { text, at: 0 };
    scanner.blanks();
    let value = scanner.value(0)?;
    scanner.end()?;
    Ok(value)
}

struct JsonScanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> JsonScanner<'a> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Malformed> {
        match self.peek() {
            Some(found) if found == byte => {
                self.at += 1;
                Ok(())
            }
            _ => Err(self.malformed(what)),
        }
    }

    fn end(&mut self) -> Result<(), Malformed> {
        self.blanks();
        if self.at == self.text.len() {
            Ok(())
        } else {
            Err(self.malformed("something is behind the value"))
        }
    }

    /// Reads an object; `each` takes a key in quotes and the text of its value, stops with false, and has none for a key
    /// that is no text.
    fn object(
        &mut self,
        depth: usize,
        mut each: impl FnMut(&'a str, &'a str) -> Option<bool>,
    ) -> Result<(), Malformed> {
        self.expect(b'{', "an object is expected")?;
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let start = self.at;
            let key = self.quoted()?;
            self.blanks();
            self.expect(b':', "a colon is expected behind a key")?;
            self.blanks();
            let value = self.value(depth)?;
            match each(key, value) {
                Some(true) => {}
                Some(false) => return Ok(()),
                None => {
                    return Err(Malformed {
                        what: "the key has an escape that means nothing",
                        place: start,
                    });
                }
            }
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.malformed("a comma or the end of the object is expected")),
            }
            self.blanks();
        }
    }

    fn array(&mut self, depth: usize, mut each: impl FnMut(&'a str)) -> Result<(), Malformed> {
        self.expect(b'[', "an array is expected")?;
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            each(self.value(depth)?);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.malformed("a comma or the end of the array is expected")),
            }
            self.blanks();
        }
    }

    /// Reads a value, and hands out its text.
    #[inline]
    fn value(&mut self, depth: usize) -> Result<&'a str, Malformed> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => return self.quoted(),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'{' | b'[') => self.nested(depth)?,
            _ => self.word()?,
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    #[cold]
    fn nested(&mut self, depth: usize) -> Result<(), Malformed> {
        if depth == MAX_DEPTH {
            return Err(self.malformed("values are nested too deeply"));
        }
        match self.peek() {
            Some(b'{') => self.object(depth + 1, |_, _| Some(true)),
            _ => self.array(depth + 1, |_| {}),
        }
    }

    fn word(&mut self) -> Result<(), Malformed> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match WORDS.into_iter().find(|word| rest.starts_with(word)) {
            Some(word) => {
                self.at += word.len();
                Ok(())
            }
            None => Err(self.malformed("a value is expected")),
        }
    }

    #[inline]
    fn number(&mut self) -> Result<(), Malformed> {
        if self.peek() == Some(b'-') {
            self.at += 1;
            if self.peek() == Some(b'I') {
                return self.word();
            }
        }
        let first = self.peek();
        let whole = self.digits();
        if whole == 0 || (first == Some(b'0') && whole > 1) {
            return Err(self.malformed("a number has no digit or a zero before its first one"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.malformed("digits are expected behind the point"));
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.malformed("digits are expected in the exponent"));
            }
        }
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        self.at - start
    }

    /// Reads a text, and hands it out with its quotes.
    #[inline]
    fn quoted(&mut self) -> Result<&'a str, Malformed> {
        let start = self.at;
        self.expect(b'"', "a text in quotes is expected")?;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(self.text.get(start..self.at).unwrap_or_default());
                }
                Some(b'\\') => self.escape()?,
                Some(0..=0x1f) => {
                    return Err(
                        self.malformed("a text has a control character, which must be escaped")
                    );
                }
                Some(_) => self.at += 1,
                None => return Err(self.malformed("a text is not closed")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                let digits = self.text.as_bytes().get(self.at..self.at + 4);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.malformed("four hexadecimal digits are expected behind \\u"));
                }
                self.at += 4;
            }
            _ => return Err(self.malformed("an escape means nothing")),
        }
        Ok(())
    }

    #[cold]
    fn malformed(&self, what: &'static str) -> Malformed {
        Malformed { what, place: self.at }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at byte {}", self.what, self.place + 1)
    }
}

const WORDS: [&str; 5] = ["null", "true", "false", "NaN", "Infinity"];
/// Arrays and objects within each other.
const MAX_DEPTH: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `serde_json` takes a text, and what its objects have.
    fn judge(text: &str) -> Option<serde_json::Value> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn values_are_those_of_serde_json() {
        let rendered = [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"a\"",
            "\"\\u00e9\\n\"",
            "\"\\x\"",
            "\"\t\"",
            "1",
            "-0",
            "01",
            "1.5",
            "1.",
            ".5",
            "1e5",
            "1E+05",
            "-",
            "true",
            "nul",
            "null",
            " ",
            "\n",
            "\"",
            "\\",
            "\"\\ud83c\\udfe0\"",
            "x",
        ];
        let mut state = 1_u64;
        let mut taken = 0;
        for round in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let mut bits = state;
            let mut text = String::new();
            for _ in 0..round % 9 {
                text.push_str(rendered[(bits >> 40) as usize % rendered.len()]);
                bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(3);
            }
            // Numbers of any size are values here, where serde_json's own type has a range.
            let is_value = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            assert_eq!(value(&text).is_ok(), is_value, "{text:?}");
            taken += usize::from(is_value);
            if let Some(serde_json::Value::Object(object)) = judge(&text) {
                let mut found = serde_json::Map::new();
                let add = |key: Cow<'_, str>, value: &str| {
                    found.insert(key.into_owned(), judge(value).expect("a value"));
                    true
                };
                entries(&text, add).unwrap();
                assert_eq!(found, object, "{text:?}");
            }
        }
        assert!(taken > 10_000, "{taken}");
    }

    #[test]
    fn words_of_python_are_values() {
        for word in ["NaN", "Infinity", "-Infinity"] {
            assert_eq!(value(word), Ok(word));
            assert_eq!(elements(&format!("[{word} , 1]")), Ok(vec![word, "1"]));
        }
        assert!(value("-NaN").is_err() && value("nan").is_err() && value("NaNs").is_err());
    }

    #[test]
    fn lone_surrogates_are_refused_where_they_are_read() {
        assert!(entries("{\"\\ud800\":1}", |_, _| true).is_err());
        assert_eq!(unescape("\"\\ud800\""), None);
        assert_eq!(unescape("\"\\u00e9\"").as_deref(), Some("é"));
    }
}
