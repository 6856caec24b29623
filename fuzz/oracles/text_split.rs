//! Any text: it is cut where the parser's own splitter cuts, no line can swallow another, and a timestamp is seen
//! where the parser reads one.

use std::collections::HashSet;

use influxdb_line_protocol::{parse_lines, split_lines};
use influxdb3_blocking::fuzzing;

use super::model::tags_of;

pub fn check(data: &[u8]) {
    let found: Vec<_> = fuzzing::text_lines(data).collect();
    let Ok(text) = std::str::from_utf8(data) else {
        assert!(matches!(&found[..], [Err(error)] if error.to_string().contains("not UTF-8")));
        return;
    };
    let expected = expected_lines(text);
    let mut sent = String::new();
    for (number, line) in found.iter().enumerate() {
        let expected = expected[number];
        let is_swallowing = split_lines(&format!("{expected}\nm f=1")).count() != 2;
        let parsed: Vec<_> = parse_lines(expected).collect();
        match line {
            Ok((line, has_timestamp)) => {
                assert_eq!(*line, expected.as_bytes());
                assert!(!is_swallowing, "{expected:?}");
                if let [Ok(parsed)] = &parsed[..] {
                    assert_eq!(*has_timestamp, parsed.timestamp.is_some(), "{expected:?}");
                    assert!(!has_duplicate_tag(parsed), "{expected:?}");
                }
                sent.push_str(expected);
                sent.push('\n');
            }
            Err(error) => {
                let is_fine = matches!(&parsed[..], [Ok(parsed)] if !has_duplicate_tag(parsed));
                assert!(is_swallowing || !is_fine, "{error}: {expected:?}");
                assert_eq!(number, found.len() - 1, "nothing comes after an error");
            }
        }
    }
    if found.iter().all(Result::is_ok) {
        assert_eq!(found.len(), expected.len());
    }

    // What is sent is cut into the same lines, by the parser and by us.
    let mut end = 0;
    let pieces: Vec<&str> = split_lines(&sent).collect();
    let (last, pieces) = pieces.split_last().expect("there is always a piece");
    assert!(last.is_empty() && pieces.len() == found.iter().filter(|line| line.is_ok()).count());
    let ends: Vec<usize> = pieces
        .iter()
        .map(|piece| {
            end += piece.len() + 1;
            end
        })
        .collect();
    assert_eq!(fuzzing::line_ends(sent.as_bytes()), ends);
}

fn has_duplicate_tag(line: &influxdb_line_protocol::ParsedLine<'_>) -> bool {
    let mut keys = HashSet::new();
    !tags_of(line).into_iter().all(|(key, _)| keys.insert(key))
}

/// The lines by the splitter of the parser, which knows neither of blank lines and comments, which are taken away
/// before each of them, nor of a byte order mark before the first.
fn expected_lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n']);
        if rest.is_empty() {
            return lines;
        }
        let is_comment = rest.starts_with('#');
        let line = if is_comment { rest.split('\n').next() } else { split_lines(rest).next() };
        let line = line.unwrap_or(rest);
        if !is_comment && line != "\r" {
            lines.push(line.strip_suffix('\r').unwrap_or(line));
        }
        rest = rest.get(line.len() + 1..).unwrap_or_default();
    }
}
