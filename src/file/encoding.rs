//! What a text that is not UTF-8 seems to be.

use std::str;

/// U+FEFF in UTF-8, which some programs write before the text.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Says which byte of `bytes` is not UTF-8 and which encoding it looks like; none if all of them are UTF-8. `line` is
/// the number of the line at the beginning of `bytes`.
pub(super) fn not_utf8(bytes: &[u8], line: u64) -> Option<String> {
    let place = str::from_utf8(bytes).err()?.valid_up_to();
    let (before, rest) = bytes.split_at_checked(place)?;
    let line = line + before.iter().filter(|byte| **byte == b'\n').count() as u64;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let byte = rest.first()?;
    Some(format!(
        "line {line}: it is not UTF-8: the byte 0x{byte:02X} at place {} of the line {}",
        place - start + 1,
        guess(*byte)
    ))
}

/// The encoding of text that begins so, if it is one of 16 bits: its name, and how to convert it.
pub(super) fn wide(beginning: &[u8]) -> Option<String> {
    let name = match beginning {
        [0xff, 0xfe, ..] | [1..=0x7f, 0, 1..=0x7f, 0, ..] => "UTF-16LE",
        [0xfe, 0xff, ..] | [0, 1..=0x7f, 0, 1..=0x7f, ..] => "UTF-16BE",
        _ => return None,
    };
    let byte = beginning.iter().find(|byte| !(1..0x80).contains(*byte))?;
    Some(format!(
        "line 1: it is not UTF-8: the byte 0x{byte:02X} at its beginning looks like {name}: convert the file, for \
         example with `iconv -f {name} -t UTF-8`"
    ))
}

fn guess(byte: u8) -> String {
    // The characters of both are those of Unicode from 0xA0 on; below, Windows has quotes, dashes and the euro.
    let name = if (0x80..0xa0).contains(&byte) { "WINDOWS-1252" } else { "LATIN1" };
    let shown = match byte {
        0xa0.. => format!(", where it is {:?}", char::from(byte)),
        0x80 => ", where it is '€'".to_owned(),
        _ => String::new(),
    };
    format!(
        "looks like {}{shown}: convert the file, for example with `iconv -f {name} -t UTF-8`",
        if name == "LATIN1" { "Latin-1" } else { "Windows-1252" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_and_its_encoding_are_named() {
        assert_eq!(not_utf8("time,ü\n".as_bytes(), 1), None);
        let text = not_utf8(b"time,f\n1,caf\xe9\n", 4).unwrap();
        assert!(
            text.starts_with("line 5: it is not UTF-8: the byte 0xE9 at place 6 of the line"),
            "{text}"
        );
        assert!(text.contains("Latin-1, where it is 'é'"), "{text}");
        let text = not_utf8(b"\x80 5", 1).unwrap();
        assert!(text.contains("Windows-1252, where it is '€'"), "{text}");
        for (bytes, name) in [
            (&b"\xff\xfet\0"[..], "UTF-16LE"),
            (b"\xfe\xff\0t", "UTF-16BE"),
            (b"t\0i\0", "UTF-16LE"),
            (b"\0t\0i", "UTF-16BE"),
        ] {
            assert!(wide(bytes).unwrap().contains(name), "{bytes:?}");
        }
        assert_eq!(wide(b"time"), None);
        assert_eq!(wide(b"\0\0"), None);
    }
}
