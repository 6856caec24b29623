//! Where a statement ends: at a semicolon that is in no text, name or comment.

/// Takes the first whole statement off a text, without its semicolon; none if no semicolon ends one.
pub(super) fn take(text: &mut String) -> Option<String> {
    let end = end_of(text)?;
    let rest = text.split_off(end + 1);
    let mut statement = std::mem::replace(text, rest);
    statement.pop();
    Some(statement)
}

/// Whether the text has no statement: only blanks and comments, also a comment without an end.
pub(super) fn is_blank(text: &str) -> bool {
    let rest = behind_comments(text);
    rest.is_empty() || rest.starts_with("--") || rest.starts_with("/*")
}

/// What is behind blanks and whole comments at the beginning.
pub(super) fn behind_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let behind = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n')
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/")
        } else {
            None
        };
        let Some((_, behind)) = behind else { return rest };
        rest = behind.trim_start();
    }
}

/// The place of the first semicolon that ends a statement.
pub(super) fn end_of(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        let rest = text.get(place + 1..).unwrap_or_default();
        place += match byte {
            b';' => return Some(place),
            // A doubled quote ends the text and begins the next one.
            b'\'' | b'"' => 2 + rest.find(char::from(*byte))?,
            b'-' if rest.starts_with('-') => 1 + rest.find('\n')?,
            b'/' if rest.starts_with('*') => 3 + rest.get(1..).unwrap_or_default().find("*/")? + 1,
            _ => 1,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_in_a_text_a_name_or_a_comment_ends_nothing() {
        for (text, statement, rest) in [
            ("SELECT 1;", "SELECT 1", ""),
            ("SELECT ';' AS \"a;b\";x", "SELECT ';' AS \"a;b\"", "x"),
            ("SELECT 'it''s;' -- no;\n;", "SELECT 'it''s;' -- no;\n", ""),
            ("SELECT /* ; */ 1; SELECT 2", "SELECT /* ; */ 1", " SELECT 2"),
            ("SELECT 'ä;';", "SELECT 'ä;'", ""),
            (";", "", ""),
        ] {
            let mut left = text.to_owned();
            assert_eq!(take(&mut left).as_deref(), Some(statement), "{text}");
            assert_eq!(left, rest, "{text}");
        }
        for text in ["", "SELECT 1", "SELECT ';", "-- ;", "/* ;", "SELECT \";"] {
            assert_eq!(end_of(text), None, "{text}");
        }
        assert!(is_blank(" -- a;\n /* b */ ") && !is_blank("-- a\nSELECT 1"));
        assert!(is_blank("-- a") && is_blank("/* a") && is_blank("/* a */ -- b"));
        assert_eq!(behind_comments(" -- a\n/* b */ \\d /* c */"), "\\d /* c */");
    }
}
