//! `influx3 write`.

mod arguments;
mod client;
mod dry_run;
mod failures;
mod format;
mod inputs;
mod outcome;
mod progress;
mod rejects;
mod report;
mod run;
mod spooled;
mod stdin;
mod summary;

pub(crate) use self::arguments::Arguments;
pub(crate) use self::run::run;
