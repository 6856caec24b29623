//! The file of refused lines: line protocol, with the reasons as comments, which can be written as it is.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use influxdb3_blocking::{Batch, Error, Timestamp};

use crate::words;

/// Refused lines, and where they go.
#[derive(Debug)]
pub(crate) struct Rejects {
    path: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    file: Option<File>,
    /// Why it could not be appended to.
    problem: Option<String>,
}

impl Rejects {
    /// Opens the file to append to it; it is made if need be, so that what is wrong with it is known before anything
    /// is sent.
    pub(crate) fn open(path: Option<&Path>) -> std::io::Result<Self> {
        let open = |path: &Path| OpenOptions::new().append(true).create(true).open(path);
        let file = path.map(open).transpose()?;
        let state = Mutex::new(State { file, problem: None });
        Ok(Self { path: path.map(Path::to_owned), state })
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Appends the lines of a batch that were refused.
    pub(crate) fn add(&self, batch: &Batch, error: &Error) {
        let mut text = format!(
            "# refused {} (database {}, precision {}: write with --precision {})\n",
            Timestamp::now(),
            one_line(batch.database()),
            batch.precision(),
            batch.precision(),
        );
        // Each line with its reason, if the reasons say which is which.
        let named = error.line_errors();
        let mut unnamed = batch.lines();
        for line_error in named {
            text.push_str("# ");
            text.push_str(&one_line(&words::of_here(line_error.message())));
            text.push('\n');
            if let Some(line) = line_error.line() {
                text.push_str(line);
                text.push('\n');
                unnamed = unnamed.saturating_sub(1);
            }
        }
        if unnamed > 0 && named.iter().all(|line_error| line_error.line().is_none()) {
            if named.is_empty() {
                text.push_str(&format!("# {}\n", one_line(&words::of_here(&error.to_string()))));
            }
            text.push_str(&String::from_utf8_lossy(batch.line_protocol()));
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { file, problem } = &mut *state;
        if let Some(file) = file
            && let Err(error) = file.write_all(text.as_bytes())
        {
            problem.get_or_insert_with(|| error.to_string());
        }
    }

    /// What went wrong while lines were appended.
    pub(crate) fn problem(&self) -> Option<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).problem.clone()
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
