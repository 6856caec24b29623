//! What this binary may have been built without.

use std::sync::LazyLock;

use crate::failure::Failure;

/// A feature of the crate that adds to what the command reads and writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Feature {
    Parquet,
    Feather,
    Orc,
    Zstd,
}

impl Feature {
    /// As Cargo.toml has it, which is also the name of the format.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Feather => "feather",
            Self::Orc => "orc",
            Self::Zstd => "zstd",
        }
    }

    pub(crate) fn is_on(self) -> bool {
        match self {
            Self::Parquet => cfg!(feature = "parquet"),
            Self::Feather => cfg!(feature = "feather"),
            Self::Orc => cfg!(feature = "orc"),
            Self::Zstd => cfg!(feature = "zstd"),
        }
    }

    /// # Errors
    /// It is off, and `what` needs it.
    pub(crate) fn check(self, what: &str) -> Result<(), Failure> {
        if self.is_on() { Ok(()) } else { Err(self.refusal(what)) }
    }

    /// What is said if it is off.
    pub(crate) fn refusal(self, what: &str) -> Failure {
        let name = self.name();
        Failure::usage(format!(
            "{what} needs the feature `{name}`, which this influx3 was built without"
        ))
        .with_advice("with all formats: cargo install influxdb3-blocking --features cli")
    }
}

/// The version, and what this binary can read.
pub(crate) fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let on = |features: &[Feature]| -> String {
            let on = features.iter().filter(|feature| feature.is_on());
            on.map(|feature| format!(", {}", feature.name())).collect()
        };
        format!(
            "{}\nformats: lp, csv, json, jsonl{}\npacked with: gzip{}",
            env!("CARGO_PKG_VERSION"),
            on(&[Feature::Parquet, Feature::Feather, Feature::Orc]),
            on(&[Feature::Zstd]),
        )
    });
    &VERSION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_off_is_named_with_what_to_do() {
        let told = Feature::Orc.refusal("a.orc").to_string();
        assert_eq!(
            told,
            "influx3: a.orc needs the feature `orc`, which this influx3 was built without\n  \
             with all formats: cargo install influxdb3-blocking --features cli"
        );
        assert_eq!(Feature::Orc.check("a.orc").is_ok(), cfg!(feature = "orc"));
        assert_eq!(version().contains(", orc"), cfg!(feature = "orc"));
    }
}
