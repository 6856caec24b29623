//! `influx3`: writes files and pipes to InfluxDB 3 and queries it, from a terminal or a script.
//!
//! `docs/cli.md` shows it at work. It is made of the crate's public interface; the rooms:
//!
//! - `arguments`, `common` and one `arguments` in each room: what can be said on the command line
//! - `connection`: which server, which database, which token, and the origin of each
//! - `write`, `query`, `prompt`, `ping`, `config`, `documents`: one for each command
//! - `failure`: errors as they are shown, and the exit codes
//! - `features`: what the binary may have been built without
//! - `interrupt`, `panics`, `terminal`, `amounts`, `value_name`, `words`: signals, panics, terminals, numbers, names of
//!   values, and messages of the library in the words of the command line

#![forbid(unsafe_code)]
#![warn(clippy::expect_used, clippy::unwrap_used)]
// Comments on arguments are the help of the command, in which brackets around an address would show.
#![allow(rustdoc::bare_urls)]

mod amounts;
mod arguments;
mod common;
mod config;
mod connection;
mod documents;
mod failure;
mod features;
mod interrupt;
mod panics;
mod ping;
mod prompt;
mod query;
mod terminal;
mod value_name;
mod words;
mod write;

use std::process::ExitCode;

use clap::Parser as _;

use self::arguments::{Arguments, Command};
use self::failure::{Exit, Failure};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return failure::report_usage(&error, arguments::wants_json_errors()),
    };
    let as_json = arguments.common.json_errors;
    // After a panic it is not known how much of a write the server has stored.
    let exit = if arguments.command.writes() { Exit::Partial } else { Exit::Failed };
    match panics::contained(exit, as_json, || run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(as_json),
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { common, command } = arguments;
    interrupt::listen()?;
    match command {
        Command::Write(arguments) => write::run(&common, *arguments),
        Command::Query(arguments) => query::run(&common, &arguments),
        Command::Sql(arguments) => prompt::run(&common, &arguments),
        Command::Ping(arguments) => ping::run(&common, &arguments),
        Command::Config(arguments) => config::run(&common, &arguments),
        Command::Completions { shell } => documents::completions(shell),
        Command::Man { out } => documents::man(out.as_deref()),
    }
}
