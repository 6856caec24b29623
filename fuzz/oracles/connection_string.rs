//! Any text as a connection string: no panic, and no text that shows its token. A string that is made of parts comes
//! apart into the same ones.

use std::fmt::Write as _;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use influxdb3_blocking::fuzzing::{self, Settings};
use influxdb3_blocking::{Client, ErrorKind};

use super::model::{name, precision};

/// How the tokens of seeds begin.
const SECRET: &str = "5ecret";

pub fn check(data: &[u8]) {
    any_text(&String::from_utf8_lossy(data));
    let _ = draw_and_check(&mut Unstructured::new(data)); // an error: the data was too short
}

fn any_text(text: &str) {
    let builder = Client::builder().with_connection_string(text);
    let mut shown = format!("{builder:?}");
    match builder.build() {
        Ok(client) => {
            let _ = write!(shown, "{client:?}");
            let told = fuzzing::settings(&client);
            assert!(told.token.is_none_or(|token| token.bytes().all(|b| b.is_ascii_graphic())));
            assert!(!told.write_timeout.is_zero());
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Config);
            let _ = write!(shown, "{error} {error:#} {error:?}");
        }
    }
    if has_secret_token(text) {
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

/// Whether the secret stands once, and as the value of `token`, at its place or before the first `?`.
fn has_secret_token(text: &str) -> bool {
    let Some(place) = text.find(SECRET) else { return false };
    let before = &text[..place];
    let is_token = before.ends_with("&token=")
        || before.strip_suffix("?token=").is_some_and(|before| !before.contains('?'));
    // Escapes could spell it once more, in a part that may be shown.
    is_token && text.matches(SECRET).count() == 1 && !text.contains('%')
}

fn draw_and_check(u: &mut Unstructured<'_>) -> Result<()> {
    const HOSTS: &[(&str, &str)] = &[
        ("localhost", "http://localhost:8181"),
        ("http://LOCALHOST:1", "http://localhost:1"),
        ("http://127.0.0.1/", "http://127.0.0.1:80"),
        ("http://[::1]:8086/a/b", "http://[::1]:8086/a/b"),
        ("http://example.io/%20", "http://example.io:80/%20"),
    ];
    let (host, url) = *u.choose(HOSTS)?;
    let is_v2: bool = u.arbitrary()?;
    let token = if u.arbitrary()? { Some(token(u)?) } else { None };
    let database = name(u)?;
    let expected = Settings {
        host: url.to_owned(),
        token,
        // Blanks around the name mean nothing.
        database: Some(database.trim().to_owned()).filter(|name| !name.is_empty()),
        organization: name(u)?,
        auth_scheme: (*u.choose(&["Token", "Bearer"])?).to_owned(),
        precision: precision(u)?,
        no_sync: !is_v2 && u.arbitrary()?,
        accept_partial: u.arbitrary()?,
        use_v2_api: is_v2,
        write_timeout: Duration::from_millis(u.int_in_range(1..=1 << 40)?),
    };
    let mut pairs = vec![
        ("database", database),
        ("org", expected.organization.clone()),
        ("authScheme", expected.auth_scheme.clone()),
        ("precision", expected.precision.to_string()),
        ("writeNoSync", expected.no_sync.to_string()),
        ("writeAcceptPartial", expected.accept_partial.to_string()),
        ("writeUseV2Api", (*u.choose(if is_v2 { &["true", "ON"] } else { &["0", "no"] })?).into()),
        ("writeTimeout", format!("{}ms", expected.write_timeout.as_millis())),
    ];
    pairs.extend(expected.token.clone().map(|token| ("token", token)));
    let mut text = format!("{host}?");
    // In any order.
    while !pairs.is_empty() {
        let (key, value) = pairs.swap_remove(u.choose_index(pairs.len())?);
        encode(u, key, &mut text)?;
        text.push('=');
        encode(u, &value, &mut text)?;
        text.push('&');
    }
    let client = Client::builder().with_connection_string(&text).build();
    let client = client.unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(fuzzing::settings(&client), expected, "{text}");
    Ok(())
}

fn token(u: &mut Unstructured<'_>) -> Result<String> {
    (0..=u.int_in_range(0..=40)?).map(|_| Ok(char::from(u.int_in_range(b'!'..=b'~')?))).collect()
}

/// Form encoding: with an escape wherever there must be one, and at times elsewhere.
fn encode(u: &mut Unstructured<'_>, text: &str, out: &mut String) -> Result<()> {
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_graphic() && !b"%&+=".contains(&byte);
        let is_escaped = !is_plain || u.ratio(1, 8)?;
        match byte {
            b' ' if u.arbitrary()? => out.push('+'),
            _ if !is_escaped => out.push(char::from(byte)),
            _ if u.arbitrary()? => drop(write!(out, "%{byte:02x}")),
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    Ok(())
}
