//! Errors as they are shown to people and machines, and the exit codes.

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use influxdb3_blocking::{Error, ErrorKind};
use serde_json::{Map, Value, json};

use crate::words;

/// The exit codes, which are documented: they stay as they are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    Partial = 3,
    Interrupted = 130,
}

/// Why a command ends without having done all that it was asked for.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// For machines, as [`ErrorKind`] has it or one of its own.
    kind: String,
    /// One sentence. Empty if nothing is to be shown.
    message: String,
    /// What to do, as further lines.
    advice: Vec<String>,
    /// More for machines.
    details: Map<String, Value>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, kind: &str, message: impl Into<String>) -> Self {
        Self {
            exit,
            kind: kind.to_owned(),
            message: message.into(),
            advice: Vec::new(),
            details: Map::new(),
        }
    }

    /// The arguments contradict each other, or something is missing.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "Usage", message)
    }

    /// A file or device of this machine failed.
    pub(crate) fn io(what: impl fmt::Display, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::broken_pipe();
        }
        Self::new(Exit::Failed, "Io", format!("{what}: {error}"))
    }

    /// The program behind a pipe wants no more of the output, which is no error.
    pub(crate) fn broken_pipe() -> Self {
        Self::new(Exit::Done, "BrokenPipe", "")
    }

    pub(crate) fn interrupted(message: impl Into<String>) -> Self {
        Self::new(Exit::Interrupted, "Interrupted", message)
    }

    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    pub(crate) fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }

    pub(crate) fn with_detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    pub(crate) fn is_broken_pipe(&self) -> bool {
        self.kind == "BrokenPipe"
    }

    /// Writes it to standard error, if that can be written to.
    pub(crate) fn report(&self, as_json: bool) -> ExitCode {
        if !self.message.is_empty() {
            let text = if as_json { self.to_json().to_string() } else { self.to_string() };
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
        ExitCode::from(self.exit as u8)
    }

    fn to_json(&self) -> Value {
        let mut error = self.details.clone();
        error.insert("kind".into(), self.kind.clone().into());
        error.insert("message".into(), self.message.clone().into());
        error.insert("exit_code".into(), (self.exit as u8).into());
        if !self.advice.is_empty() {
            error.insert("advice".into(), self.advice.clone().into());
        }
        json!({ "error": error })
    }
}

/// For people.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "influx3: {}", self.message)?;
        self.advice.iter().try_for_each(|advice| write!(f, "\n  {advice}"))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            let io = cause.downcast_ref::<io::Error>();
            if error.kind() == ErrorKind::File
                && io.is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
            {
                return Self::broken_pipe();
            }
            source = cause.source();
        }
        let exit = match error.kind() {
            ErrorKind::Cancelled => Exit::Interrupted,
            _ => Exit::Failed,
        };
        let mut failure = Self::new(
            exit,
            &format!("{:?}", error.kind()),
            words::without_resume(&words::of_here(&format!("{error:#}"))),
        );
        if let Some(status) = error.status() {
            failure = failure.with_detail("status", status);
        }
        if let Some(status) = error.grpc_status() {
            failure = failure.with_detail("grpc_status", status);
        }
        if let Some(wait) = error.retry_after() {
            failure = failure.with_detail("retry_after_seconds", wait.as_secs_f64());
        }
        failure
    }
}

/// Shows what the parser of arguments returned: an error, or the help that was asked for.
pub(crate) fn report_usage(error: &clap::Error, as_json: bool) -> ExitCode {
    if !error.use_stderr() || !as_json {
        // If standard error cannot be written to, there is nowhere to say so.
        let _ = error.print();
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8));
    }
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    Failure::usage(first_paragraph(text)).report(true)
}

/// What stands before the usage and the hints, as one line: the names of missing arguments stand on lines of their own.
fn first_paragraph(text: &str) -> String {
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_missing_arguments_are_part_of_the_message() {
        let text = "these are required:\n  --database <NAME>\n\nUsage: influx3 …\n\nFor more …";
        assert_eq!(first_paragraph(text), "these are required: --database <NAME>");
    }
}
