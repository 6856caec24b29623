//! `influx3 query`.

mod arguments;
mod cells;
mod destination;
mod formats;
mod output;
mod run;
mod schema;
mod send;
mod stats;
mod text;

pub(crate) use self::arguments::{Arguments, Language};
pub(crate) use self::destination::Destination;
pub(crate) use self::formats::Format;
pub(crate) use self::output::Shown;
pub(crate) use self::run::run;
pub(crate) use self::send::{Query, send};
