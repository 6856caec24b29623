//! What can be said on the command line.

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

use crate::common::Common;
use crate::{config, features, ping, prompt, query, write};

/// Writes to InfluxDB 3 and queries it.
#[derive(Debug, Parser)]
#[command(
    name = "influx3",
    version,
    long_version = features::version(),
    styles = STYLES,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  influx3 write home.csv -d sensors --measurement home --tag room
  influx3 query -d sensors 'SELECT * FROM home'
  influx3 sql -d sensors

Exit codes: 0 done, 1 failed, 2 usage, 3 written in part, 130 interrupted."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Write(Box<write::Arguments>),
    Query(query::Arguments),
    Sql(prompt::Arguments),
    Ping(ping::Arguments),
    Config(config::Arguments),
    /// Prints completions for a shell
    #[command(after_help = "\
Examples:
  influx3 completions bash > ~/.local/share/bash-completion/completions/influx3
  influx3 completions fish > ~/.config/fish/completions/influx3.fish")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Prints the manual page, or writes one for each command
    #[command(after_help = "\
Examples:
  influx3 man | man -l -
  influx3 man --out /usr/local/share/man/man1")]
    Man {
        /// A directory for the pages of all commands
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

impl Command {
    /// Whether lines may be sent.
    pub(crate) fn writes(&self) -> bool {
        matches!(self, Self::Write(arguments) if arguments.dry_run.is_none())
    }
}

/// Whether errors of usage are to be JSON, which must be known before the arguments are.
pub(crate) fn wants_json_errors() -> bool {
    std::env::args_os().any(|argument| argument == "--json-errors")
}

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_do_not_contradict_themselves() {
        super::Arguments::command().debug_assert();
    }
}
