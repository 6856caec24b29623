//! `influx3 sql`: a prompt.

mod commands;
mod completion;
mod run;
mod statements;

pub(crate) use self::run::{Arguments, run};
