//! What is a terminal, and how wide.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use unicode_width::UnicodeWidthStr as _;

/// How wide the terminal of standard output is, if it is one.
pub(crate) fn width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let size = terminal_size::terminal_size_of(io::stdout());
    Some(size.map_or(80, |(width, _)| usize::from(width.0)).max(1))
}

/// Whether something may move on standard error.
pub(crate) fn can_animate() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Text, with escapes for what would break the line, move the cursor or change the direction of what follows.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        let turns = matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match char.is_control() || turns || matches!(char, '\u{2028}' | '\u{2029}') {
            true => out.extend(char.escape_debug()),
            false => out.push(char),
        }
    }
    out
}

/// A path as a shell takes it.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |char: char| char.is_alphanumeric() || "/._-+:@%,=".contains(char);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.into_owned(),
        false => format!("'{}'", escaped(&text).replace('\'', "'\\''")),
    }
}

/// The texts with blanks behind them, so that all are as wide as the widest.
pub(crate) fn aligned(texts: Vec<String>) -> Vec<String> {
    let width = texts.iter().map(|text| text.width()).max().unwrap_or(0);
    // Not by a width in a format string, which may not be over 65 535.
    let pad = |mut text: String| {
        text.push_str(&" ".repeat(width.saturating_sub(text.width())));
        text
    };
    texts.into_iter().map(pad).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_be_copied_into_a_shell() {
        for (path, expected) in [
            ("/tmp/a-b_c.lp", "/tmp/a-b_c.lp"),
            ("messwerte/gr\u{f6}\u{df}e.csv", "messwerte/gr\u{f6}\u{df}e.csv"),
            ("my data.csv", "'my data.csv'"),
            ("it's.csv", "'it'\\''s.csv'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(Path::new(path)), expected);
        }
    }
}
