//! The prompt itself: reads statements and commands and carries them out, until there are no more.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::Args;
use influxdb3_blocking::{Client, ColumnKind};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use super::commands::{HELP, PromptCommand};
use super::completion::Completion;
use super::statements;
use crate::common::Common;
use crate::connection::{Purpose, Settings};
use crate::failure::{Exit, Failure};
use crate::query::{self, Destination, Format, Language, Query, Shown};
use crate::value_name::value_name;
use crate::{amounts, terminal};

/// Opens a prompt for queries
///
/// Statements end with a semicolon; \? shows the commands. Without a terminal, statements and commands are read from
/// standard input, and the first failure ends it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  influx3 sql -d sensors
  influx3 sql -d sensors < statements.sql")]
pub(crate) struct Arguments {
    /// How answers are shown
    #[arg(long, value_enum, default_value = "pretty")]
    format: Format,

    /// The language
    #[arg(short, long, value_enum, default_value = "sql")]
    language: Language,
}

pub(crate) fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let settings = Settings::resolve(common)?;
    settings.database()?;
    arguments.format.check()?;
    let client = settings.builder()?.build()?;
    let mut prompt = Prompt {
        client,
        settings,
        format: arguments.format,
        language: arguments.language,
        out: None,
        has_timing: false,
    };
    if io::stdin().is_terminal() {
        prompt.converse(common.quiet)
    } else if prompt.settings.needs_stdin() {
        Err(Failure::usage("standard input cannot be both the token and the statements"))
    } else {
        prompt.read()
    }
}

struct Prompt {
    client: Client,
    settings: Settings,
    format: Format,
    language: Language,
    /// Where answers go; to the screen if there is none.
    out: Option<PathBuf>,
    has_timing: bool,
}

impl Prompt {
    /// With a person at a terminal, whom a failure does not end.
    fn converse(&mut self, is_quiet: bool) -> Result<(), Failure> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .max_history_size(10_000)
            .map_err(of_editor)?
            .auto_add_history(true)
            .build();
        let mut editor =
            Editor::<Completion, FileHistory>::with_config(config).map_err(of_editor)?;
        editor.set_helper(Some(Completion::new(self.client.clone())));
        let history = history_file();
        if let Some(history) = &history {
            // There is none yet, or it cannot be read: then there is no past.
            let _ = editor.load_history(history);
        }
        if !is_quiet {
            let database = self.settings.database()?;
            let hosts = self.settings.shown_hosts(Purpose::Query);
            tell(&format!("{} on {hosts}; \\? for help", terminal::escaped(database)));
        }
        loop {
            let mut text = match editor.readline("influx3> ") {
                Ok(line) => line,
                // At the prompt, it only takes back what was typed.
                Err(ReadlineError::Interrupted) => continue,
                Err(ReadlineError::Eof) => break,
                Err(error) => return Err(of_editor(error)),
            };
            match self.carry_out(&mut text, true) {
                Ok(true) => {}
                Ok(false) => break,
                Err(failure) if failure.is_broken_pipe() => return Err(failure),
                Err(failure) => eprintln!("{failure}"),
            }
            if let Some(completion) = editor.helper() {
                completion.forget();
            }
            if let Some(history) = &history {
                // Without a place for it, there is no history.
                let _ = editor.append_history(history);
            }
        }
        Ok(())
    }

    /// What standard input holds.
    fn read(&mut self) -> Result<(), Failure> {
        let mut text = String::new();
        for line in io::stdin().lock().lines() {
            let line = line.map_err(|error| Failure::io("standard input", &error))?;
            text.push_str(&line);
            text.push('\n');
            if !self.carry_out(&mut text, false)? {
                return Ok(());
            }
        }
        // The last one needs no semicolon.
        if !statements::is_blank(&text) {
            self.query(&text)?;
        }
        Ok(())
    }

    /// Carries out the commands and the whole statements of a text, and leaves what is begun; false is the end.
    fn carry_out(&mut self, text: &mut String, is_all: bool) -> Result<bool, Failure> {
        loop {
            let start = text.len() - statements::behind_comments(text).len();
            if text.get(start..).is_some_and(|rest| rest.starts_with('\\')) {
                let end = text.get(start..).and_then(|rest| rest.find('\n')).map(|end| start + end);
                let rest = end.map(|end| text.split_off(end + 1)).unwrap_or_default();
                let command = std::mem::replace(text, rest).split_off(start);
                if !self.command(PromptCommand::parse(&command)?)? {
                    return Ok(false);
                }
                continue;
            }
            let Some(statement) = statements::take(text) else { break };
            if !statements::is_blank(&statement) {
                self.query(&statement)?;
            }
        }
        if is_all && !statements::is_blank(text) {
            let statement = std::mem::take(text);
            self.query(&statement)?;
        }
        Ok(true)
    }

    fn command(&mut self, command: PromptCommand) -> Result<bool, Failure> {
        match command {
            PromptCommand::Quit => return Ok(false),
            PromptCommand::Help => print(HELP)?,
            PromptCommand::Tables => {
                let tables = self
                    .client
                    .tables()
                    .map_err(|error| self.settings.explain(error, Purpose::Query))?;
                let mut text: String =
                    tables.iter().map(|table| format!("{}\n", terminal::escaped(table))).collect();
                if tables.is_empty() {
                    text = "there are no tables\n".to_owned();
                }
                print(&text)?;
            }
            PromptCommand::Columns(table) => {
                let columns = self.client.columns(&table);
                let columns =
                    columns.map_err(|error| self.settings.explain(error, Purpose::Query))?;
                let names = columns.iter().map(|column| terminal::escaped(&column.name));
                let names = terminal::aligned(names.collect());
                let line = |(name, column): (&String, &influxdb3_blocking::TableColumn)| {
                    let kind = match column.kind {
                        ColumnKind::Tag => "tag",
                        ColumnKind::Field => "field",
                        ColumnKind::Time => "time",
                    };
                    format!("{name}  {kind:5}  {}\n", column.data_type)
                };
                print(&names.iter().zip(&columns).map(line).collect::<String>())?;
            }
            PromptCommand::Timing(on) => {
                self.has_timing = on.unwrap_or(!self.has_timing);
                tell(&format!("timing is {}", if self.has_timing { "on" } else { "off" }));
            }
            PromptCommand::Format(format) => {
                format.unwrap_or(self.format).check()?;
                self.format = format.unwrap_or(self.format);
                tell(&format!("the format is {}", self.format));
            }
            PromptCommand::Language(language) => {
                self.language = language.unwrap_or(self.language);
                tell(&format!("the language is {}", value_name(&self.language)));
            }
            PromptCommand::Out(path) => {
                let path = path.map(PathBuf::from);
                // A format that cannot be written is an error now, and not at the next statement.
                if let Some(path) = &path
                    && let Some(format) = Format::of(path)?
                {
                    format.check()?;
                }
                self.out = path;
            }
        }
        Ok(true)
    }

    fn query(&self, statement: &str) -> Result<(), Failure> {
        let named = self.out.as_deref().map(Format::of).transpose()?.flatten();
        let format = named.unwrap_or(self.format);
        let out = match &self.out {
            Some(path) => Destination::file(path)?,
            None => Destination::stdout(),
        };
        let is_shown = out.is_terminal();
        if format.is_binary() && is_shown {
            return Err(Failure::usage(format!("{format} is not for a terminal"))
                .with_advice("name a file with \\o FILE first"));
        }
        let shown = Shown {
            max_rows: (is_shown && format == Format::Pretty).then_some(40),
            width: if out.is_stdout() { terminal::width() } else { None },
            ..Shown::default()
        };
        let query = Query {
            text: statement.trim(),
            language: self.language,
            params: &[],
            #[cfg(feature = "parquet")]
            over_http: false,
            max_retries: 0,
            schema: false,
        };
        let totals = query::send(&self.client, &query, format, shown, out, false)
            .map_err(|unanswered| unanswered.explain(&self.settings))?;
        if let Some(path) = &self.out {
            let rows = amounts::counted(totals.rows, "row");
            tell(&format!("{rows} to {}", path.display()));
        }
        if self.has_timing {
            tell(&amounts::time(totals.elapsed));
        }
        Ok(())
    }
}

/// Where the history is kept; none if there is no such place.
fn history_file() -> Option<PathBuf> {
    let variable =
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = variable("XDG_STATE_HOME").or_else(|| variable("LOCALAPPDATA"));
    let folder = folder.or_else(|| std::env::home_dir().map(|home| home.join(".local/state")));
    let folder = folder?.join("influx3");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

/// Prints an answer.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    printed.map_err(|error| Failure::io("standard output", &error))
}

/// Says what is no answer, beside the answers; where standard error cannot be written to, it goes unsaid.
fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn of_editor(error: ReadlineError) -> Failure {
    Failure::new(Exit::Failed, "Io", format!("the terminal cannot be used: {error}"))
}
