//! `influx3 write`.

mod arguments;
mod dry_run;
mod format;
mod inputs;
mod progress;
mod rejects;
mod report;
mod run;
mod stdin;
mod summary;

pub(crate) use self::arguments::Arguments;
pub(crate) use self::run::run;
