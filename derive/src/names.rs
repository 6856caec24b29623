//! What a name must be for the server to take it.

/// Why a key of a tag or a field cannot be written; none if it can.
pub(crate) fn fault_of_key(key: &str) -> Option<&'static str> {
    match key {
        "time" => Some(
            "is reserved for the timestamp: mark the field with #[influx(time)], or give it another name with \
             #[influx(rename = \"…\")]",
        ),
        "__chunk_order" => Some("is reserved by the server: use another name"),
        _ if key.chars().any(char::is_control) => Some("contains a control character"),
        _ => fault_of_name(key),
    }
}

/// Why a measurement cannot be written; none if it can.
pub(crate) fn fault_of_measurement(name: &str) -> Option<&'static str> {
    if name.starts_with('#') {
        return Some("begins with #, which the server takes for a comment");
    }
    if name.contains(['\n', '\t', '\0']) {
        return Some("contains a newline, a tab or a NUL");
    }
    fault_of_name(name)
}

fn fault_of_name(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("is empty");
    }
    name.ends_with('\\').then_some("ends in a backslash, which the server refuses")
}

/// `home_reading` of `HomeReading`, `http_log` of `HTTPLog`.
pub(crate) fn snake_case(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (place, &character) in characters.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|place| characters.get(place));
        let next_is_lowercase = characters.get(place + 1).is_some_and(|next| next.is_lowercase());
        let is_new_word = before
            .is_some_and(|before| *before != '_' && (!before.is_uppercase() || next_is_lowercase));
        if character.is_uppercase() && is_new_word {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_structs_become_snake_case() {
        for (name, expected) in [
            ("Home", "home"),
            ("HomeReading", "home_reading"),
            ("HTTPLog", "http_log"),
            ("Sensor2Data", "sensor2_data"),
            ("already_snake", "already_snake"),
            ("X", "x"),
            ("Äpfel", "äpfel"),
        ] {
            assert_eq!(snake_case(name), expected);
        }
    }

    #[test]
    fn names_that_the_server_refuses_have_a_fault() {
        for key in ["", "time", "__chunk_order", "a\n", "a\u{85}", "a\\"] {
            assert!(fault_of_key(key).is_some(), "{key:?}");
        }
        for name in ["", "#a", "a\nb", "a\tb", "a\0", "a\\"] {
            assert!(fault_of_measurement(name).is_some(), "{name:?}");
        }
        for name in ["a", "a b", "a,b=c", "times", "ü", "a#"] {
            assert_eq!((fault_of_key(name), fault_of_measurement(name)), (None, None), "{name}");
        }
        assert_eq!(fault_of_measurement("time"), None);
    }
}
