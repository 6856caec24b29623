//! From text to tokens.

use datafusion::error::Result;

use super::plan_error;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A keyword or a name without quotes.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    /// A string in single quotes.
    Text(String),
    Integer(i64),
    Number(f64),
    /// In nanoseconds.
    Duration(i64),
    /// Between slashes, behind `=~` and `!~`.
    Regex(String),
    /// `$name`
    Param(String),
    Symbol(&'static str),
}

/// Longer ones first, so that none is read as the beginning of another.
const SYMBOLS: [&str; 19] = [
    "=~", "!~", "!=", "<>", "<=", ">=", "::", "=", "<", ">", "(", ")", ",", ";", "+", "-", "*",
    "/", ".",
];

/// Tokens, each with the place of its first byte.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>> {
    let mut tokens: Vec<(usize, Token)> = Vec::new();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        if trimmed.is_empty() {
            return Ok(tokens);
        }
        let after_match = matches!(tokens.last(), Some((_, Token::Symbol("=~" | "!~"))))
            && trimmed.starts_with('/');
        let (token, len) = match after_match {
            true => regex(trimmed),
            false => token(trimmed),
        }
        .ok_or_else(|| invalid(text, at))?;
        tokens.push((at, token));
        at += len;
    }
}

/// The real server's error of a text that it cannot read, from the place on where it is not understood.
pub(super) fn invalid(text: &str, at: usize) -> datafusion::error::DataFusionError {
    let rest = &text[at..];
    plan_error(format!("invalid InfluxQL statement at pos {at}. Parsing Error: Nom({rest:?}, Tag)"))
}

/// The first token and its length in bytes.
fn token(text: &str) -> Option<(Token, usize)> {
    let first = text.chars().next()?;
    if first.is_ascii_digit() {
        return number(text);
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let len = word_len(text);
        return Some((Token::Word(text[..len].to_owned()), len));
    }
    match first {
        '"' => quoted(text, '"').map(|(name, len)| (Token::Quoted(name), len)),
        '\'' => quoted(text, '\'').map(|(string, len)| (Token::Text(string), len)),
        '$' => {
            let len = word_len(&text[1..]);
            (len > 0).then(|| (Token::Param(text[1..=len].to_owned()), len + 1))
        }
        _ => {
            let symbol = SYMBOLS.into_iter().find(|symbol| text.starts_with(symbol))?;
            Some((Token::Symbol(symbol), symbol.len()))
        }
    }
}

fn word_len(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// An integer, a number with a point, or durations without a gap between them, like `1h30m`.
fn number(text: &str) -> Option<(Token, usize)> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let whole = digits(text);
    if let Some(fraction) = text[whole..].strip_prefix('.') {
        let len = whole + 1 + digits(fraction);
        return text[..len].parse().ok().map(|number| (Token::Number(number), len));
    }
    let (mut nanos, mut len) = (0_i64, 0);
    loop {
        let rest = &text[len..];
        let count = digits(rest);
        let Some(unit) = UNITS.into_iter().find(|(unit, _)| rest[count..].starts_with(unit)) else {
            break;
        };
        if count == 0 {
            break;
        }
        nanos = rest[..count].parse::<i64>().ok()?.checked_mul(unit.1)?.checked_add(nanos)?;
        len += count + unit.0.len();
    }
    if len > 0 {
        return Some((Token::Duration(nanos), len));
    }
    text[..whole].parse().ok().map(|integer| (Token::Integer(integer), whole))
}

/// Longer ones first.
const UNITS: [(&str, i64); 9] = [
    ("ns", 1),
    ("ms", 1_000_000),
    ("u", 1_000),
    ("µ", 1_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3600 * 1_000_000_000),
    ("d", 24 * 3600 * 1_000_000_000),
    ("w", 7 * 24 * 3600 * 1_000_000_000),
];

/// What stands between two quotes, in which a backslash may stand before a quote, a backslash and an `n`.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut inside = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Some((inside, at + 1)),
            '\\' => match chars.next()?.1 {
                'n' => inside.push('\n'),
                c if c == quote || c == '\\' => inside.push(c),
                _ => return None,
            },
            c => inside.push(c),
        }
    }
    None
}

/// What stands between two slashes, in which a slash has a backslash before it.
fn regex(text: &str) -> Option<(Token, usize)> {
    let mut inside = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '/' => return Some((Token::Regex(inside), at + 1)),
            '\\' if chars.peek().is_some_and(|(_, next)| *next == '/') => {
                chars.next();
                inside.push('/');
            }
            c => inside.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Token> {
        tokens(text).unwrap().into_iter().map(|(_, token)| token).collect()
    }

    #[test]
    fn every_kind_of_token() {
        use Token::*;
        let hour = 3600 * 1_000_000_000;
        assert_eq!(
            read("a_1 \"b \\\"c\" 'it\\'s' 12 1.5 1h30m 10ms $p <= !="),
            [
                Word("a_1".into()),
                Quoted("b \"c".into()),
                Text("it's".into()),
                Integer(12),
                Number(1.5),
                Duration(hour + hour / 2),
                Duration(10_000_000),
                Param("p".into()),
                Symbol("<="),
                Symbol("!="),
            ]
        );
        assert_eq!(read("a =~ /x\\/y/"), [Word("a".into()), Symbol("=~"), Regex("x/y".into())]);
        assert_eq!(read("a / b").len(), 3);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        for (text, at) in
            [("a 'b", 2), ("é", 0), ("x \"", 2), ("a =~ /b", 5), ("99999999999999999999", 0)]
        {
            let error = tokens(text).unwrap_err().to_string();
            assert!(error.contains(&format!("at pos {at}.")), "{text}: {error}");
        }
    }
}
