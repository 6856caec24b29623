/// The text behind percent escapes, with `+` as a blank in forms; `None` if it is malformed or not UTF-8.
pub(crate) fn percent_decode(text: &str, form: bool) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' if form => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}
