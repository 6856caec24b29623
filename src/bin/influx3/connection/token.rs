//! Where a token comes from. It is read when it is needed, and never shown.

use std::fmt;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use influxdb3_blocking::ClientBuilder;

use crate::failure::{Exit, Failure};

/// A place where a token is.
#[derive(Clone, Eq, PartialEq)]
pub(crate) enum Token {
    /// It was given as it is.
    Given(String),
    File(PathBuf),
    Stdin,
    Command(String),
}

impl Token {
    pub(super) fn of_file(path: PathBuf) -> Self {
        if path.as_os_str() == "-" { Self::Stdin } else { Self::File(path) }
    }

    /// Lets a client have the token. A file is read again, and a command run again, when a server refuses it.
    pub(super) fn give(&self, builder: ClientBuilder) -> Result<ClientBuilder, Failure> {
        let token = self.read()?;
        Ok(match self {
            Self::Given(_) | Self::Stdin => builder.token(token),
            Self::File(path) => builder.token_file(path),
            Self::Command(command) => {
                // It may ask somebody, so the first time must be no part of a request.
                let (command, first) = (command.clone(), Mutex::new(Some(token)));
                builder.token_from(move || {
                    let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
                    let again = || Self::Command(command.clone()).read();
                    first.map_or_else(again, Ok).map_err(|failure| failure.to_string().into())
                })
            }
        })
    }

    /// The token.
    fn read(&self) -> Result<String, Failure> {
        let text = match self {
            Self::Given(token) => return Ok(token.clone()),
            Self::File(path) => {
                let text = std::fs::read_to_string(path);
                text.map_err(|error| {
                    Failure::io(format!("the token file {}", path.display()), &error)
                })?
            }
            Self::Stdin => {
                let mut text = String::new();
                let read = std::io::stdin().lock().read_to_string(&mut text);
                read.map_err(|error| Failure::io("the token on standard input", &error))?;
                text
            }
            Self::Command(command) => run(command)?,
        };
        let token = text.lines().next().unwrap_or_default().trim().to_owned();
        if token.is_empty() {
            return Err(Failure::new(Exit::Failed, "Config", format!("{self} gives no token")));
        }
        Ok(token)
    }
}

/// The first line that a command prints.
fn run(command: &str) -> Result<String, Failure> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let run = Command::new(shell)
        .args([flag, command])
        .stdin(Stdio::inherit())
        .stderr(Stdio::inherit())
        .output();
    let output = run.map_err(|error| Failure::io("the token command", &error))?;
    if !output.status.success() {
        return Err(Failure::new(
            Exit::Failed,
            "Config",
            format!("the token command `{command}` failed ({})", output.status),
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where it is, not what it is.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("(hidden)"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Stdin => f.write_str("standard input"),
            Self::Command(command) => write!(f, "the command `{command}`"),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({self})")
    }
}
