use std::path::Path;

use super::{Reading, unreadable};
use crate::{Error, Result};

/// The formats that can be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    Csv(Packing),
    Json(Packing),
    Parquet,
    Feather,
    Orc,
}

/// What is around a text format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Packing {
    None,
    Gzip,
}

impl Format {
    /// The format that the extension says, in any case.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase());
        let name = name.unwrap_or_default();
        let (name, packing) = match name.strip_suffix(".gz") {
            Some(inner) => (inner, Packing::Gzip),
            None => (&*name, Packing::None),
        };
        let format = match (name.rsplit_once('.').map(|(_, extension)| extension), packing) {
            (Some("csv"), _) => Self::Csv(packing),
            (Some("json" | "jsonl" | "ndjson"), _) => Self::Json(packing),
            (Some("parquet"), Packing::None) => Self::Parquet,
            (Some("feather" | "arrow" | "arrows" | "ipc"), Packing::None) => Self::Feather,
            (Some("orc"), Packing::None) => Self::Orc,
            _ => {
                return Err(unreadable(
                    "the extension says nothing about the format: it must be .csv, .json, .jsonl, .parquet, .feather, \
                     .arrow or .orc, or one of the first three with .gz behind it",
                ));
            }
        };
        if packing == Packing::Gzip && !cfg!(feature = "gzip") {
            return Err(off("a file with .gz", "gzip"));
        }
        Ok(format)
    }

    /// Refuses options that mean nothing for the format.
    pub(super) fn check(self, reading: &Reading) -> Result<()> {
        let is_csv = matches!(self, Self::Csv(_));
        let is_text = is_csv || matches!(self, Self::Json(_));
        let misplaced = [
            ("delimiter", reading.delimiter.is_some() && !is_csv),
            ("column_names", reading.column_names.is_some() && !is_csv),
            ("null_values", reading.null_values.is_some() && !is_csv),
            ("column_type", !reading.types.is_empty() && !is_text),
            ("binary_as_text", reading.layout.binary_as_text && is_text),
            ("infer_rows", reading.infer_rows.is_some() && !is_text),
        ];
        // A quote and the ends of lines mean something else, and bytes from 0x80 on are parts of characters.
        if let Some(byte @ (b'"' | b'\n' | b'\r' | 0x80..)) = reading.delimiter {
            return Err(Error::config(format!(
                "the delimiter {:?} cannot stand between cells: choose another ASCII character",
                byte.escape_ascii().to_string()
            )));
        }
        if reading.column_names.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::config("column_names names no column"));
        }
        match misplaced.iter().find(|(_, is_misplaced)| *is_misplaced) {
            None => Ok(()),
            Some((option, _)) => Err(Error::config(format!(
                "{option} means nothing for {}: leave it out",
                self.name()
            ))),
        }
    }

    /// The error of a format whose feature is off.
    pub(super) fn is_off(self) -> Error {
        let feature = match self {
            Self::Csv(_) => "csv",
            Self::Json(_) => "json",
            Self::Parquet => "parquet",
            Self::Feather => "feather",
            Self::Orc => "orc",
        };
        off(self.name(), feature)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Csv(_) => "CSV",
            Self::Json(_) => "JSON",
            Self::Parquet => "Parquet",
            Self::Feather => "Feather",
            Self::Orc => "ORC",
        }
    }
}

fn off(what: &str, feature: &str) -> Error {
    Error::config(format!(
        "{what} needs the feature `{feature}` of influxdb3-blocking, which is off: add it in Cargo.toml"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides_in_any_case() {
        for (name, format) in [
            ("a.csv", Format::Csv(Packing::None)),
            ("/x.y/A.CSV", Format::Csv(Packing::None)),
            ("a.b.JsonL", Format::Json(Packing::None)),
            ("a.PARQUET", Format::Parquet),
            ("a.feather", Format::Feather),
            ("a.Orc", Format::Orc),
        ] {
            assert_eq!(Format::of(Path::new(name)).unwrap(), format, "{name}");
        }
        for name in ["", "csv", "a", "a.txt", "a.csv.bak", "a.orc.gz", "..", "a.csv/"] {
            let found = Format::of(Path::new(name));
            assert!(name == "a.csv/" || found.is_err(), "{name}: {found:?}");
        }
    }
}
