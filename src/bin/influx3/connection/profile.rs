//! The configuration file: profiles, none of which holds a secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The configuration file.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    /// None if there is no file.
    pub(crate) path: Option<PathBuf>,
    default: Option<String>,
    profiles: BTreeMap<String, Profile>,
}

/// What a profile says, by its keys, which are among [`KEYS`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Profile(BTreeMap<&'static str, String>);

/// The keys of a profile.
pub(crate) const KEYS: [&str; 11] = [
    "host",
    "write-host",
    "query-host",
    "database",
    "token-file",
    "token-command",
    "tls-ca",
    "tls-native-roots",
    "tls-no-verify",
    "proxy",
    "timeout",
];

/// A file to start from.
pub(crate) const EXAMPLE: &str = "\
# Configuration of influx3. It holds no token: name a file or a command that does.

# The profile that is used without --profile.
default = \"lab\"

[profiles.lab]
host = \"http://127.0.0.1:8181\"
database = \"sensors\"

[profiles.plant]
host = \"https://cluster.example.io\"
database = \"plant\"
token-command = \"pass show influx/plant\"   # or: token-file = \"/run/secrets/influx\"
# write-host = \"https://ingest.example.io\"  # in place of host; several of each with commas between them
# query-host = \"https://query.example.io\"
# tls-ca = \"corporate-ca.pem\"              # certificates beside the usual ones
# tls-native-roots = true                  # the system's in place of the bundled ones
# tls-no-verify = false
# proxy = \"socks5://proxy.example.io:1080\"
# timeout = \"30s\"
";

impl Profiles {
    /// Reads the file of this name, or the default one if it exists.
    pub(crate) fn read(given: Option<&Path>) -> Result<Self, Failure> {
        let chosen = given.map(Path::to_owned).or_else(|| variable("INFLUX3_CONFIG"));
        let Some(path) = chosen.clone().or_else(usual_path) else { return Ok(Self::default()) };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && chosen.is_none() => {
                return Ok(Self::default());
            }
            Err(error) => return Err(Failure::io(path.display(), &error)),
        };
        let profiles = Self::parse(&text)
            .map_err(|problem| Failure::usage(format!("{}: {problem}", path.display())))?;
        Ok(Self { path: Some(path), ..profiles })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error
                .span()
                .map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
            let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            format!("{line}{}", error.message())
        })?;
        let mut found = Self::default();
        for (key, value) in table {
            match (key.as_str(), value) {
                ("default", toml::Value::String(name)) => found.default = Some(name),
                ("profiles", toml::Value::Table(profiles)) => {
                    for (name, profile) in profiles {
                        let read = Profile::parse(profile);
                        let read =
                            read.map_err(|problem| format!("profile {name:?}: {problem}"))?;
                        found.profiles.insert(name, read);
                    }
                }
                (key, _) => {
                    return Err(format!(
                        "{key:?} means nothing here: there are `default` and tables [profiles.NAME]"
                    ));
                }
            }
        }
        Ok(found)
    }

    /// The profile that is meant, with its name; none if none is.
    pub(crate) fn choose(self, given: Option<&str>) -> Result<Option<(String, Profile)>, Failure> {
        let variable = std::env::var("INFLUX3_PROFILE").ok().filter(|name| !name.is_empty());
        let given = given.map(str::to_owned).or(variable);
        let Some(name) = given.or(self.default) else { return Ok(None) };
        let mut profiles = self.profiles;
        match profiles.remove(&name) {
            Some(profile) => Ok(Some((name, profile))),
            None => {
                let known: Vec<_> = profiles.into_keys().collect();
                let known = match known.is_empty() {
                    true => "there is none; influx3 config --example shows how to make one".into(),
                    false => format!("there are {}", known.join(", ")),
                };
                Err(Failure::usage(format!("there is no profile {name:?}: {known}")))
            }
        }
    }

    /// The names of all profiles.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }
}

impl Profile {
    fn parse(value: toml::Value) -> Result<Self, String> {
        let toml::Value::Table(table) = value else {
            return Err("it is no table: write [profiles.NAME]".into());
        };
        let mut profile = BTreeMap::new();
        for (key, value) in table {
            if key == "token" {
                return Err("a profile holds no token: set token-file or token-command".into());
            }
            let Some(known) = KEYS.into_iter().find(|known| **known == key) else {
                return Err(format!("{key:?} means nothing: there are {}", KEYS.join(", ")));
            };
            let text = match value {
                toml::Value::String(text) => text,
                toml::Value::Boolean(value) => value.to_string(),
                other => {
                    return Err(format!(
                        "{key} is a value of the type {}, and not a text or a boolean",
                        other.type_str()
                    ));
                }
            };
            profile.insert(known, text);
        }
        Ok(Self(profile))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

/// The default path of the file.
fn usual_path() -> Option<PathBuf> {
    let folder = variable("XDG_CONFIG_HOME").or_else(|| variable("APPDATA"));
    let folder = folder.or_else(|| std::env::home_dir().map(|home| home.join(".config")));
    folder.map(|folder| folder.join("influx3").join("config.toml"))
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_good_and_secrets_and_slips_are_refused() {
        let profiles = Profiles::parse(EXAMPLE).unwrap();
        assert_eq!(profiles.names().collect::<Vec<_>>(), ["lab", "plant"]);
        let (name, lab) = profiles.choose(None).unwrap().unwrap();
        assert_eq!((name.as_str(), lab.get("database")), ("lab", Some("sensors")));
        for (text, problem) in [
            ("[profiles.a]\ntoken = 'x'", "holds no token"),
            ("[profiles.a]\nhots = 'x'", "\"hots\" means nothing"),
            ("[profiles.a]\nhost = 1", "not a text"),
            ("host = 'x'", "\"host\" means nothing here"),
            ("default = \n", "line 1"),
        ] {
            let found = Profiles::parse(text).unwrap_err();
            assert!(found.contains(problem), "{text}: {found}");
        }
    }
}
