//! Web pages in place of the server's answer.

use super::error_body::shorten;

/// A web page, which no InfluxDB server sends: something in front of it does.
#[derive(Debug)]
pub(super) struct Page {
    /// What it is about, in its own words, if it says so.
    title: Option<String>,
}

impl Page {
    /// The page that a body is, if it is one. That it is announced as one does not make it one: some proxies announce
    /// everything so.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(&body[..body.len().min(READ_BYTES)]);
        let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let lower = text.to_ascii_lowercase();
        let begins = lower.get(..HEAD_BYTES).unwrap_or(&lower);
        if !text.starts_with('<') || !begins.contains("html") {
            return None;
        }
        let title = ["title", "h1"].iter().find_map(|name| element(text, &lower, name));
        Some(Self { title })
    }

    /// What a failure of this status says whose body is the page.
    pub(super) fn describe(&self, status: u16) -> String {
        let title = match &self.title {
            Some(title) => format!("a web page ({title:?})"),
            None => "a web page".to_owned(),
        };
        match status {
            413 => format!("{title} of a proxy in front of the server"),
            503 => format!("{title}, as proxies send it; is the server behind it running?"),
            504 | 522 | 524 => format!("{title}; the server took too long"),
            _ if is_of_gateway(status) => format!("{title}; is the server running?"),
            _ => format!("{title}, status {status}; is the host an InfluxDB server?"),
        }
    }
}

/// Whether a status is one that proxies give where the server behind them has no answer for them: the two of HTTP, and
/// those of Cloudflare.
pub(super) fn is_of_gateway(status: u16) -> bool {
    matches!(status, 502 | 504 | 520..=524)
}

/// The text of the first element of this name, on one line; `lower` is `text` in lower case.
fn element(text: &str, lower: &str, name: &str) -> Option<String> {
    let open = lower.find(&format!("<{name}"))?;
    let start = open + lower[open..].find('>')? + 1;
    let end = start + lower[start..].find('<')?;
    let words: Vec<_> = text.get(start..end)?.split_whitespace().collect();
    Some(shorten(&words.join(" "), SHOWN_CHARACTERS)).filter(|title| !title.is_empty())
}

/// The most bytes of a body that are searched.
const READ_BYTES: usize = 4 << 10;

/// A page is recognized by this many bytes.
const HEAD_BYTES: usize = 256;

const SHOWN_CHARACTERS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn title(page: &str) -> Option<String> {
        Page::read(page.as_bytes()).expect("it is a page").title
    }

    #[test]
    fn a_page_is_known_by_what_it_is_and_says_what_its_title_says() {
        let nginx = "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n";
        assert_eq!(title(nginx).as_deref(), Some("413 Request Entity Too Large"));
        let spread = "\u{feff}\n<!DOCTYPE HTML><TITLE lang=en>\n 502\n Bad Gateway </TITLE>";
        assert_eq!(title(spread).as_deref(), Some("502 Bad Gateway"));
        let headline = "<html><body><h1>503 Service Unavailable</h1>\nNo server is available";
        assert_eq!(title(headline).as_deref(), Some("503 Service Unavailable"));
        for untitled in ["<html>", "<html><title></title>", "<html><title", "<html><title>x"] {
            assert_eq!(title(untitled), None, "{untitled}");
        }
        let long = title(&format!("<html><title>{}</title>", "é".repeat(200))).unwrap();
        assert_eq!(long.chars().count(), 101);
    }

    #[test]
    fn other_texts_are_no_pages() {
        for text in [
            "",
            "no healthy upstream",
            "html",
            r#"{"message":"<html>"}"#,
            "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>",
            &format!("<{}html", " ".repeat(300)),
        ] {
            assert!(Page::read(text.as_bytes()).is_none(), "{text}");
        }
        assert!(Page::read(&[b'<', 0xff, 0xfe]).is_none());
    }
}
