//! Names of databases, and what is said about bad ones.

/// The rules for a database name of at most `max` bytes, with or without a retention policy: `name` or `name/policy`.
pub(crate) fn check_database(name: &str, most: usize) -> Result<(), String> {
    if name.len() > most {
        return Err(format!("db name too long: max {most}"));
    }
    check_characters(name).map_err(str::to_owned)
}

fn check_characters(name: &str) -> Result<(), &'static str> {
    const CHARACTER: &str = "invalid character in database or rp name: must be ASCII, containing \
                             only letters, numbers, underscores, or hyphens";
    const POLICY: &str = "db name with invalid retention policy, if providing a retention policy \
                          name, must be of form '<db_name>/<rp_name>'";
    if name.is_empty() {
        return Err("db name cannot be empty");
    }
    for (at, c) in name.char_indices() {
        match c {
            _ if !c.is_ascii() => return Err(CHARACTER),
            _ if c.is_ascii_alphanumeric() => {}
            _ if at == 0 => return Err("db name did not start with a number or letter"),
            '_' | '-' => {}
            '/' if !name[..at].contains('/') => {}
            '/' => return Err(POLICY),
            _ => return Err(CHARACTER),
        }
    }
    if name.ends_with('/') { Err(POLICY) } else { Ok(()) }
}

/// What `/api/v2/write` asks of a bucket's name before [`check_database`].
pub(crate) fn check_bucket(name: &str, most: usize) -> Result<(), String> {
    if name.is_empty() || name.len() > most {
        return Err(format!(
            "namespace name {name} length must be between 1 and {most} characters"
        ));
    }
    match name.chars().position(|c| !(c.is_alphanumeric() || matches!(c, '/' | '_' | '-'))) {
        None => Ok(()),
        Some(at) => Err(format!(
            "namespace name '{name}' contains invalid character, character number {at} is not \
             whitelisted"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_names() {
        for good in ["a", "1", "a_b-c", "db/rp", &"x".repeat(64)] {
            assert_eq!(check_database(good, 64), Ok(()), "{good}");
        }
        for (bad, text) in [
            ("", "cannot be empty"),
            (&*"x".repeat(65), "max 64"),
            ("_x", "did not start"),
            ("a.b", "invalid character"),
            ("é", "invalid character"),
            ("a/b/c", "invalid retention policy"),
            ("a/", "invalid retention policy"),
        ] {
            assert!(check_database(bad, 64).is_err_and(|e| e.contains(text)), "{bad}");
        }
    }

    #[test]
    fn bucket_names() {
        assert_eq!(check_bucket("a/é_-", 64), Ok(()));
        assert!(
            check_bucket("a.b", 64).is_err_and(|e| e.contains("'a.b'") && e.contains("number 1 "))
        );
    }
}
