/// What may be shown of a text that was given as a name (of a scheme, a header or a key) and is none: its beginning, as far as
/// such names go, since a secret may stand behind it. Nothing of one that is longer than names are, or begins as tokens do.
pub(crate) fn harmless_name(text: &str, is_of_name: impl Fn(char) -> bool) -> String {
    const LONGEST: usize = 32;
    let end = text.find(|character| !is_of_name(character)).unwrap_or(text.len());
    if end > LONGEST || text[..end].to_ascii_lowercase().starts_with("apiv3_") {
        return "…".to_owned();
    }
    harmless_beginning(text, is_of_name)
}

/// The text up to the first character that is not known, and `…` in place of the rest, in which a secret may stand.
pub(super) fn harmless_beginning(text: &str, is_known: impl Fn(char) -> bool) -> String {
    match text.find(|character| !is_known(character)) {
        None => text.to_owned(),
        Some(end) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_and_what_may_be_a_secret_is_not() {
        let long = "x".repeat(33);
        for (text, shown) in [
            ("", ""),
            ("Basic", "Basic"),
            ("Bearer s3cret", "Bearer…"),
            (" s3cret", "…"),
            ("ünder", "ünder"),
            ("ApiV3_x", "…"),
            (&long, "…"),
            (&long[1..], &long[1..]),
        ] {
            assert_eq!(harmless_name(text, |c| c.is_alphanumeric() || c == '_'), shown);
        }
    }
}
