use std::path::Path;

use super::{ReadOptions, unreadable};
use crate::{Error, Result};

/// A format that files can be read in.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// use influxdb3_blocking::FileFormat;
///
/// let input = client.write_reader(std::io::stdin(), FileFormat::Csv);
/// input.measurement("home").send()?;
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FileFormat {
    /// Cells between delimiters, with a header.
    Csv,
    /// An array of objects, objects one after the other, or what pandas writes.
    Json,
    /// Parquet.
    Parquet,
    /// Feather of version 2, which is an Arrow IPC file, or an Arrow IPC stream.
    Feather,
    /// ORC.
    Orc,
    /// Line protocol, with timestamps in the precision of the write.
    LineProtocol,
}

impl FileFormat {
    /// The format that the extension says, in any case. One more behind it may say how the file is packed.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase());
        let name = name.unwrap_or_default();
        let packed =
            [".gz", ".zst", ".zstd"].iter().find_map(|compression| name.strip_suffix(compression));
        let name = packed.unwrap_or(&name);
        match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("csv") => Ok(Self::Csv),
            Some("json" | "jsonl" | "ndjson") => Ok(Self::Json),
            Some("parquet") => Ok(Self::Parquet),
            Some("feather" | "arrow" | "arrows" | "ipc") => Ok(Self::Feather),
            Some("orc") => Ok(Self::Orc),
            Some("lp") => Ok(Self::LineProtocol),
            _ => Err(unreadable(
                "the extension says nothing about the format: it must be .csv, .json, .jsonl, .parquet, .feather, \
                 .arrow, .orc or .lp, with .gz or .zst behind it or without, or .format(…) must say it",
            )),
        }
    }

    /// Whether it is text that has columns.
    fn is_text(self) -> bool {
        matches!(self, Self::Csv | Self::Json)
    }

    /// Whether it may be packed as a whole.
    pub(super) fn can_be_compressed(self) -> bool {
        self.is_text() || self == Self::LineProtocol
    }

    /// Refuses options that mean nothing for the format.
    pub(super) fn check(self, read_options: &ReadOptions) -> Result<()> {
        let is_csv = self == Self::Csv;
        let is_text = self.is_text();
        let is_json = is_text && !is_csv;
        let is_lines = self == Self::LineProtocol;
        let layout = &read_options.layout;
        let misplaced = [
            ("measurement", layout.measurement.is_some() && is_lines),
            ("measurement_column", layout.measurement_column.is_some() && is_lines),
            ("tags", !layout.tags.is_empty() && is_lines),
            ("fields", layout.fields.is_some() && is_lines),
            ("exclude", !layout.exclude.is_empty() && is_lines),
            ("rename", !layout.renames.is_empty() && is_lines),
            ("timestamp_column", layout.timestamp_column.is_some() && is_lines),
            ("date_unit", layout.date_unit.is_some() && is_lines),
            ("delimiter", read_options.delimiter.is_some() && !is_csv),
            ("column_names", read_options.column_names.is_some() && !is_csv),
            ("comment", read_options.comment.is_some() && !is_csv),
            ("skip_lines", read_options.skip_lines > 0 && !is_csv),
            ("trim", read_options.trims && !is_csv),
            ("ragged_rows", read_options.ragged_rows && !is_csv),
            ("decimal_comma", read_options.decimal_comma && !is_csv),
            ("json_path", read_options.json_path.is_some() && !is_json),
            ("flatten", read_options.flatten.is_some() && !is_json),
            ("null_values", !read_options.null_values.is_empty() && !is_text),
            ("only_null_values", read_options.has_only_listed_nulls && !is_text),
            ("column_type", !read_options.types.is_empty() && !is_text),
            ("binary_as_text", layout.binary_as_text && (is_text || is_lines)),
            ("infer_rows", read_options.infer_rows.is_some() && !is_text),
            ("skip_bad_rows", read_options.skip_bad_rows && !is_text && !is_lines),
            ("time_format", read_options.time_format.is_some() && !is_text),
        ];
        // A quote and the ends of lines mean something else, and bytes from 0x80 on are parts of characters.
        let marks = [("delimiter", read_options.delimiter), ("comment", read_options.comment)];
        for (option, mark) in marks {
            if let Some(byte @ (b'"' | b'\n' | b'\r' | 0x80..)) = mark {
                return Err(Error::config(format!(
                    "{option} cannot be {:?}: choose another ASCII character",
                    byte.escape_ascii().to_string()
                )));
            }
        }
        if read_options.comment.is_some()
            && read_options.comment == Some(read_options.delimiter.unwrap_or(b','))
        {
            return Err(Error::config("comment and delimiter are the same character"));
        }
        if read_options.column_names.as_ref().is_some_and(Vec::is_empty) {
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
            // It needs none of its own.
            Self::LineProtocol => "csv",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Parquet => "parquet",
            Self::Feather => "feather",
            Self::Orc => "orc",
        };
        off(self.name(), feature)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::Parquet => "Parquet",
            Self::Feather => "Feather",
            Self::Orc => "ORC",
            Self::LineProtocol => "line protocol",
        }
    }
}

pub(super) fn off(what: &str, feature: &str) -> Error {
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
            ("a.csv", FileFormat::Csv),
            ("/x.y/A.CSV", FileFormat::Csv),
            ("a.csv.gz", FileFormat::Csv),
            ("a.csv.ZST", FileFormat::Csv),
            ("a.b.JsonL", FileFormat::Json),
            ("a.PARQUET", FileFormat::Parquet),
            ("a.feather", FileFormat::Feather),
            ("a.Orc", FileFormat::Orc),
            ("a.lp.gz", FileFormat::LineProtocol),
        ] {
            assert_eq!(FileFormat::of(Path::new(name)).unwrap(), format, "{name}");
        }
        for name in ["", "csv", "a", "a.txt", "a.csv.bak", "a.gz", "..", "a.csv/"] {
            let found = FileFormat::of(Path::new(name));
            assert!(name == "a.csv/" || found.is_err(), "{name}: {found:?}");
        }
    }
}
