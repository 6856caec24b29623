//! The formats of answers.

mod csv;
#[cfg(feature = "feather")]
mod feather;
mod json;
mod lines;
mod markdown;
#[cfg(feature = "parquet")]
mod parquet;
mod plain_text;
mod pretty;
mod vertical;

use std::fmt;
use std::path::Path;

use arrow_schema::SchemaRef;
use clap::ValueEnum;
use influxdb3_blocking::arrow_schema;

use super::destination::Destination;
use super::output::{Output, Shown};
use crate::failure::Failure;
use crate::features::Feature;
use crate::value_name::value_name;

/// How an answer is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// A table
    Pretty,
    /// A line for each value
    Vertical,
    /// A table of Markdown
    Markdown,
    /// An array of JSON
    Json,
    /// JSON, one object on each line
    Jsonl,
    /// CSV
    Csv,
    /// Parquet
    #[cfg_attr(not(feature = "parquet"), value(hide = true))]
    Parquet,
    /// Feather, which is an Arrow IPC file
    #[cfg_attr(not(feature = "feather"), value(hide = true))]
    Feather,
    /// Line protocol
    Lp,
}

impl Format {
    /// What the name of a file says; none if it has no extension, or is a text of any kind.
    ///
    /// # Errors
    /// It has an extension that says something else.
    pub(crate) fn of(path: &Path) -> Result<Option<Self>, Failure> {
        let Some(extension) = path.extension() else { return Ok(None) };
        Ok(match extension.to_string_lossy().to_ascii_lowercase().as_str() {
            "md" => Some(Self::Markdown),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "parquet" => Some(Self::Parquet),
            "feather" | "arrow" | "ipc" => Some(Self::Feather),
            "lp" | "line" | "influx" => Some(Self::Lp),
            "txt" => None,
            _ => {
                let path = path.display();
                let problem = format!("{path}: the name does not say a format that can be written");
                return Err(Failure::usage(problem)
                    .with_advice("give it with --format, or another name, such as answer.csv"));
            }
        })
    }

    /// # Errors
    /// It needs a feature that is off.
    pub(crate) fn check(self) -> Result<(), Failure> {
        let what = format!("the format {self}");
        match self {
            Self::Parquet => Feature::Parquet.check(&what),
            Self::Feather => Feature::Feather.check(&what),
            _ => Ok(()),
        }
    }

    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Self::Parquet | Self::Feather)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&value_name(self))
    }
}

/// Opens an output for an answer of this schema.
pub(super) fn open(
    format: Format,
    schema: &SchemaRef,
    shown: Shown,
    out: Destination,
) -> Result<Box<dyn Output>, Failure> {
    format.check()?;
    Ok(match format {
        Format::Pretty => Box::new(pretty::Pretty::new(schema, &shown, out)),
        Format::Vertical => Box::new(vertical::Vertical::new(schema, out)),
        Format::Markdown => Box::new(markdown::Markdown::new(schema, out)),
        Format::Json => Box::new(json::Json::array(schema, out)),
        Format::Jsonl => Box::new(json::Json::lines(schema, out)),
        Format::Csv => Box::new(csv::Csv::new(schema, out)?),
        #[cfg(feature = "parquet")]
        Format::Parquet => Box::new(parquet::Parquet::new(schema, out)?),
        #[cfg(feature = "feather")]
        Format::Feather => Box::new(feather::Feather::new(schema, out)?),
        Format::Lp => Box::new(lines::Lines::new(schema, shown, out)?),
        // `check` has refused it.
        #[cfg(not(all(feature = "parquet", feature = "feather")))]
        _ => return Err(Failure::usage(format!("{format} is not in this influx3"))),
    })
}
