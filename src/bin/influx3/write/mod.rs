//! `influx3 write`.

mod arguments;
mod client;
mod dry_run;
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
mod told;

pub(crate) use self::arguments::Arguments;
pub(crate) use self::run::run;
