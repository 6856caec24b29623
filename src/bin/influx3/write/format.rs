//! The formats that are read.

use std::fmt;
use std::path::Path;

use clap::ValueEnum;
use influxdb3_blocking::FileFormat;

use crate::features::Feature;
use crate::value_name::value_name;

/// What an input is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum InputFormat {
    /// Line protocol
    Lp,
    /// CSV, also annotated
    Csv,
    /// JSON
    Json,
    /// JSON, one object behind the other
    Jsonl,
    /// Parquet
    #[cfg_attr(not(feature = "parquet"), value(hide = true))]
    Parquet,
    /// Feather, Arrow IPC files and streams
    #[cfg_attr(not(feature = "feather"), value(hide = true))]
    Feather,
    /// ORC
    #[cfg_attr(not(feature = "orc"), value(hide = true))]
    Orc,
}

impl InputFormat {
    /// What the name of a file says, with `.gz` or `.zst` behind it or without.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let packed = [".gz", ".zst", ".zstd"].iter().find_map(|packing| name.strip_suffix(packing));
        match packed.unwrap_or(&name).rsplit_once('.')?.1 {
            "lp" | "line" | "influx" => Some(Self::Lp),
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "parquet" => Some(Self::Parquet),
            "feather" | "arrow" | "arrows" | "ipc" => Some(Self::Feather),
            "orc" => Some(Self::Orc),
            _ => None,
        }
    }

    /// The feature that it needs, if it needs one.
    pub(crate) fn feature(self) -> Option<Feature> {
        match self {
            Self::Lp | Self::Csv | Self::Json | Self::Jsonl => None,
            Self::Parquet => Some(Feature::Parquet),
            Self::Feather => Some(Feature::Feather),
            Self::Orc => Some(Feature::Orc),
        }
    }
}

impl fmt::Display for InputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&value_name(self))
    }
}

impl From<InputFormat> for FileFormat {
    fn from(format: InputFormat) -> Self {
        match format {
            InputFormat::Lp => Self::LineProtocol,
            InputFormat::Csv => Self::Csv,
            InputFormat::Json | InputFormat::Jsonl => Self::Json,
            InputFormat::Parquet => Self::Parquet,
            InputFormat::Feather => Self::Feather,
            InputFormat::Orc => Self::Orc,
        }
    }
}
