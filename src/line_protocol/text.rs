//! The lines of a text: what is left out, what is refused, and which of them have a timestamp.

use memchr::{memchr, memchr_iter};

use crate::line_protocol::duplicate_keys::DuplicateKeys;
use crate::line_protocol::escape;
use crate::line_protocol::short_bytes::look;
pub(crate) use crate::line_protocol::split::line_ends;
use crate::line_protocol::split::{SplitLine, split_around};
use crate::{Error, Result};

/// One line of a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TextLine<'a> {
    /// The line without whitespace before it, and without the newline and the carriage return that end it.
    pub(crate) bytes: &'a [u8],
    /// Whether it has a timestamp. Malformed lines may say either.
    pub(crate) has_timestamp: bool,
}

/// The lines of a text. Blank lines, comments and leading whitespace are left out; a comment ends with its line.
///
/// Malformed lines are passed on, for the server to judge, unless they would do harm. Refused are, with the number of
/// the line in the text: what is not UTF-8, a tag key that is there twice (a server can break on it), and a line that
/// would swallow whatever is sent behind it, as its last text is not closed or its last byte is a backslash. Nothing
/// comes after an error.
///
/// A byte order mark before the first line, as some editors write it, is left out.
pub(crate) fn lines(text: &[u8]) -> TextLines<'_> {
    TextLines { rest: text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text), ..encoded_lines(text) }
}

/// The lines of what this crate has encoded, as [`lines`], but that nothing is taken for a byte order mark: a
/// measurement may begin with these bytes.
pub(crate) fn encoded_lines(text: &[u8]) -> TextLines<'_> {
    TextLines {
        text,
        rest: text,
        behind_refused: &[],
        place: 0,
        lines_before: 0,
        invalid: std::str::from_utf8(text).err().map(|error| error.valid_up_to()),
        tags: TagKeys::default(),
    }
}

/// The lines of a later part of a text, after `lines_before` ends of lines: a byte order mark means nothing
/// there.
#[cfg(feature = "_files")]
pub(crate) fn lines_of_part(part: &[u8], lines_before: usize) -> TextLines<'_> {
    TextLines { lines_before, ..encoded_lines(part) }
}

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The iterator of [`lines`].
pub(crate) struct TextLines<'a> {
    text: &'a [u8],
    rest: &'a [u8],
    /// What is behind the line that was refused last.
    behind_refused: &'a [u8],
    /// Where the last line begins.
    place: usize,
    /// Ends of lines before the text.
    lines_before: usize,
    /// The place of the first byte that is not UTF-8.
    invalid: Option<usize>,
    tags: TagKeys,
}

impl<'a> Iterator for TextLines<'a> {
    type Item = Result<TextLine<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(place) = self.invalid.take() {
            self.rest = &[];
            self.place = place;
            let what = format!("byte {place} of the text is not UTF-8: line protocol is");
            return Some(Err(self.in_line(Error::invalid_record(what))));
        }
        let start = after_blanks_and_comments(self.rest);
        if start.is_empty() {
            return None;
        }
        let (cut, behind) = SplitLine::first_of(start);
        let line = self.check(&cut);
        self.place = self.text.len() - start.len();
        match line {
            Ok(line) => {
                self.rest = behind;
                Some(Ok(line))
            }
            Err(error) => {
                self.rest = &[];
                self.behind_refused = behind;
                Some(Err(self.in_line(error)))
            }
        }
    }
}

#[cfg(feature = "_files")]
impl TextLines<'_> {
    /// The number of the last line, its part's first one being 1.
    pub(crate) fn line_number(&self) -> usize {
        memchr_iter(b'\n', self.text.get(..self.place).unwrap_or_default()).count() + 1
    }

    /// Goes on behind a line that was refused.
    pub(crate) fn go_on(&mut self) {
        self.rest = std::mem::take(&mut self.behind_refused);
    }
}

impl<'a> TextLines<'a> {
    #[cold]
    fn in_line(&self, error: Error) -> Error {
        let before = self.text.get(..self.place).unwrap_or_default();
        let number = self.lines_before + memchr_iter(b'\n', before).count() + 1;
        error.in_context(&format!("line {number} of the text"))
    }

    fn check(&mut self, cut: &SplitLine<'a>) -> Result<TextLine<'a>> {
        let line = cut.line.strip_suffix(b"\r").unwrap_or(cut.line);
        if !cut.is_simple {
            if cut.is_in_text {
                return Err(swallows("the text of its last field is not closed by a quote"));
            }
            if line.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1 {
                return Err(swallows("it ends in a backslash"));
            }
        }
        let series = token_end(line, 0, |byte| byte == b' ');
        let (series, fields) = line.split_at(series);
        if let Some(key) = self.tags.find_duplicate(series) {
            return Err(duplicate_tag(&key));
        }
        Ok(TextLine { bytes: line, has_timestamp: has_timestamp(fields, cut.is_simple) })
    }
}

/// The tag keys of one line; kept from line to line for its memory.
#[derive(Default)]
struct TagKeys {
    /// Each by the place where it stands.
    keys: DuplicateKeys,
}

impl TagKeys {
    /// A tag key that a measurement with tags has twice, in whatever way it is escaped.
    fn find_duplicate(&mut self, series: &[u8]) -> Option<String> {
        self.keys.clear();
        let key_at = |start| {
            let end = token_end(series, start, |byte| byte == b'=');
            escape::undone(series.get(start..end).unwrap_or_default())
        };
        let mut is_first = true;
        let mut comma = token_end(series, 0, |byte| byte == b',');
        while comma < series.len() {
            let start = comma + 1;
            comma = token_end(series, start, |byte| byte == b'=');
            comma = token_end(series, comma, |byte| byte == b',');
            if is_first && comma == series.len() {
                return None; // there is only one
            }
            is_first = false;
            let key = key_at(start);
            if self.keys.enter(look(&key).hash, start, |earlier| key_at(earlier) == key).is_some() {
                return Some(String::from_utf8_lossy(&key).into_owned());
            }
        }
        None
    }
}

/// Whether something stands behind the fields; `fields` begins with the space before them.
fn has_timestamp(fields: &[u8], is_simple: bool) -> bool {
    let mut rest = fields.trim_ascii_start();
    if is_simple {
        let end = memchr(b' ', rest).unwrap_or(rest.len());
        return !rest.get(end..).unwrap_or_default().trim_ascii_start().is_empty();
    }
    loop {
        let key_end = token_end(rest, 0, |byte| byte == b'=' || byte == b' ');
        let value = match rest.get(key_end..).unwrap_or_default() {
            [b'=', value @ ..] => value,
            // No field: the server takes a comma behind the first one.
            behind => return !behind.trim_ascii_start().is_empty(),
        };
        let end = match value {
            [b'"', ..] => token_end(value, 1, |byte| byte == b'"') + 1,
            _ => token_end(value, 0, |byte| byte == b',' || byte == b' '),
        };
        match value.get(end..).unwrap_or_default() {
            [b',', behind @ ..] => rest = behind,
            behind => return !behind.trim_ascii_start().is_empty(),
        }
    }
}

/// Where, from a place on, the first byte of a kind stands that no backslash stands before; or the end.
#[inline]
pub(super) fn token_end(bytes: &[u8], from: usize, is_end: impl Fn(u8) -> bool) -> usize {
    let mut place = from;
    while let Some(&byte) = bytes.get(place) {
        if is_end(byte) {
            return place;
        }
        place += if byte == b'\\' { 2 } else { 1 };
    }
    bytes.len()
}

fn after_blanks_and_comments(mut text: &[u8]) -> &[u8] {
    loop {
        text = match text {
            [b' ' | b'\t' | b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => rest,
            [b'\r'] => &[],
            [b'#', ..] => split_around(text, memchr(b'\n', text)).1,
            _ => return text,
        }
    }
}

#[cold]
fn swallows(why: &str) -> Error {
    Error::invalid_record(format!("{why}, so that it would swallow the line behind it"))
}

#[cold]
fn duplicate_tag(key: &str) -> Error {
    Error::invalid_record(format!(
        "the tag {} is there twice, which can damage the table on the server: give each tag once",
        escape::quoted(key)
    ))
}

#[cfg(test)]
mod tests {
    use influxdb_line_protocol::{parse_lines, split_lines};

    use super::*;

    fn found(text: &str) -> Vec<(&str, bool)> {
        let lines = lines(text.as_bytes()).map(Result::unwrap);
        lines.map(|line| (std::str::from_utf8(line.bytes).unwrap(), line.has_timestamp)).collect()
    }

    fn refusal(text: &[u8]) -> String {
        let mut lines = lines(text);
        let error = lines.find_map(Result::err).unwrap();
        assert!(lines.next().is_none(), "nothing comes after an error");
        error.to_string()
    }

    #[test]
    fn blank_lines_comments_and_carriage_returns_are_left_out() {
        let text = "\r\n # a comment \\\n\n  m f=1\r\n\t# \"a=\"\nm f=2 3\n \r\n#\nm f=\"#\n\r\n\" 4\r\n\r";
        assert_eq!(found(text), [("m f=1", false), ("m f=2 3", true), ("m f=\"#\n\r\n\" 4", true)]);
        assert_eq!(found(""), []);
        assert_eq!(found("\n\n# only\n \t\r\n#"), []);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line_of_a_text() {
        assert_eq!(
            found("\u{feff}m f=1\n\u{feff}m f=2"),
            [("m f=1", false), ("\u{feff}m f=2", false)]
        );
        assert_eq!(found("\u{feff}# a comment\n\u{feff}"), [("\u{feff}", false)]);
        assert_eq!(found("\u{feff}"), []);
        let encoded: Vec<_> =
            encoded_lines("\u{feff}m f=1\n".as_bytes()).map(Result::unwrap).collect();
        assert_eq!(encoded, [TextLine { bytes: "\u{feff}m f=1".as_bytes(), has_timestamp: false }]);
        let message = refusal(b"\xef\xbb\xbfm f=1\nm f=\"\xff\"");
        assert!(
            message.contains("line 2 of the text: byte 14 of the text is not UTF-8"),
            "{message}"
        );
    }

    #[test]
    fn newlines_that_do_not_end_a_line_are_kept() {
        for line in
            ["m f=\"a\nb\"", "m,t=a\\\nb f=1", "m a=1,f=\"\n\\\"\n\",g=\"\n\"", "m a\\=b=\"x\ny\""]
        {
            assert_eq!(
                found(&format!("x f=1\n{line}\ny f=1")),
                [("x f=1", false), (line, false), ("y f=1", false)]
            );
        }
        // Neither of these quotes begins a text.
        assert_eq!(found("m,a=\" f=1\nm f\"=1\nm a=1,\"=1\nm").len(), 4);
    }

    #[test]
    fn timestamps_are_seen_behind_the_fields_only() {
        for (line, expected) in [
            ("m f=1", false),
            ("m f=1 ", false),
            ("m f=1 2", true),
            ("m  f=1  2", true),
            ("m f=1,g=2 -3", true),
            ("m\\ 1 f=1", false),
            ("m,t=a\\ b f=1", false),
            ("m,t=a\\ b f\\ 1=1 2", true),
            ("m f=\"a b\"", false),
            ("m f=\"a \\\" b\"", false),
            ("m f=\"a \\\\\" 2", true),
            ("m f=\"a, b=c\",g=t", false),
            ("m f=\"\",g=\" \" 2", true),
            ("m a,b=\"x y\"", false),
            ("m a\"b=1 2", true),
        ] {
            assert_eq!(found(line), [(line, expected)]);
        }
    }

    #[test]
    fn a_tag_key_that_is_there_twice_is_refused_however_it_is_written() {
        for text in [
            "m,a=1,a=2 f=1",
            "m f=1\n\nm,a=1,b=2,a=1 f=1",
            "m,a\\ b=1,c=1,a\\ b=2 f=1",
            "m,a\\,b=1,a,b=2 f=1",
            "m,a\\\\b=1,a\\b=2 f=1",
            "m,é=1,é=2 f=1 1",
        ] {
            let error = refusal(text.as_bytes());
            assert!(error.contains("is there twice"), "{error}");
            let number = text.matches('\n').count() + 1;
            assert!(error.starts_with(&format!("line {number} of the text")), "{error}");
        }
        for text in [
            "m,a=1,A=2 f=1",
            "m,a=1 a=2,a=3",
            "m\\,a=1,a=1 f=1",
            "m,a=b=1,b=1 f=1",
            "m,a=1,\\a=2 f=1",
        ] {
            assert_eq!(found(text).len(), 1, "{text}");
        }
        let many: String = (0..300).map(|n| format!(",t{n}={n}")).collect();
        assert_eq!(found(&format!("m{many} f=1")).len(), 1);
        assert!(refusal(format!("m{many},t299=x f=1").as_bytes()).contains("\"t299\""));
    }

    #[test]
    fn a_line_that_would_swallow_the_next_one_is_refused() {
        for text in ["m f=\"a", "m f=1\nm f=\"a\\\"\nm f=1\n", "m f=\"\r"] {
            assert!(refusal(text.as_bytes()).contains("is not closed by a quote"), "{text}");
        }
        for text in ["m f=1\\", "m f=1 \\\\\\", "m f=1\\\r\nm f=1", "\\"] {
            assert!(refusal(text.as_bytes()).contains("ends in a backslash"), "{text}");
        }
        assert_eq!(
            found("m f=1\\\\\nx").len(),
            2,
            "a backslash before the last one takes its meaning"
        );
    }

    #[test]
    fn what_is_not_utf8_is_refused_before_anything_else() {
        let error = refusal(b"m f=1\nm f=\"\xff\"\n");
        assert_eq!(error, "line 2 of the text: byte 11 of the text is not UTF-8: line protocol is");
    }

    #[test]
    fn malformed_lines_are_left_to_the_server() {
        let text = "m\nm f\nm f=x\n,t=1 f=1\nm,t f=1\nm, f=1\nm,= f=\" \"x\n=\n\"\n,\nm\tf=1";
        assert_eq!(found(text).len(), 11);
    }

    /// The same by the parser's own means, for any text.
    #[test]
    fn any_text_is_cut_where_the_parser_cuts() {
        let mut state = 7u64;
        let mut random = |bound: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        let pieces = [
            "m", ",", "=", " ", "\n", "\\", "\"", "#", "\r", "\t", "1", "f=1", "m,t=a f=", "é",
            " 7", "\n",
        ];
        for _ in 0..100_000 {
            let length = random(16);
            let text: String = (0..length).map(|_| pieces[random(16) as usize]).collect();
            let Ok(ours) = lines(text.as_bytes()).collect::<Result<Vec<_>>>() else { continue };
            let mut expected = Vec::new();
            let mut rest = text.as_str();
            loop {
                rest = rest.trim_start_matches([' ', '\t', '\n']);
                if rest.is_empty() {
                    break;
                }
                let line = if rest.starts_with('#') {
                    rest.split('\n').next()
                } else {
                    split_lines(rest).next()
                };
                let line = line.unwrap();
                if !rest.starts_with('#') && line != "\r" {
                    expected.push(line.strip_suffix('\r').unwrap_or(line).as_bytes());
                }
                rest = rest.get(line.len() + 1..).unwrap_or_default();
            }
            assert_eq!(
                ours.iter().map(|line| line.bytes).collect::<Vec<_>>(),
                expected,
                "{text:?}"
            );

            // Sent, each is a line of its own.
            let sent: String = ours
                .iter()
                .map(|line| str::from_utf8(line.bytes).unwrap().to_owned() + "\n")
                .collect();
            let mut again: Vec<&str> = split_lines(&sent).collect();
            assert_eq!(again.pop(), Some(""));
            assert_eq!(
                again.iter().map(|line| line.as_bytes()).collect::<Vec<_>>(),
                expected,
                "{text:?}"
            );
            let mut end = 0;
            let ends = again.iter().map(|line| {
                end += line.len() + 1;
                end
            });
            assert_eq!(line_ends(sent.as_bytes()).collect::<Vec<_>>(), ends.collect::<Vec<_>>());

            // A line that the parser takes has a timestamp where we see one.
            for line in &ours {
                let parsed: Vec<_> = parse_lines(str::from_utf8(line.bytes).unwrap()).collect();
                if let [Ok(parsed)] = &parsed[..] {
                    assert_eq!(line.has_timestamp, parsed.timestamp.is_some(), "{line:?}");
                }
            }
        }
    }
}
