//! A write with a spool: what cannot be sent now is on the disk when the command ends.
//!
//! The library never puts the lines of a file on the disk. So they are read one by one here, and written in pieces.

use std::cell::{Cell, RefCell};
use std::error::Error as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use influxdb3_blocking::{Client, Error, ErrorKind, FileReport, LineError, Precision, Spool};

use super::arguments::Arguments;
use super::client;
use super::failures::Failures;
use super::inputs::Input;
use super::outcome::{SHOWN, lines_of, stopped, tell};
use super::progress::Watch;
use super::rejects::Rejects;
use super::report::{Report, Waiting};
use crate::connection::{Purpose, Settings};
use crate::failure::{Exit, Failure};
use crate::terminal::escaped;
use crate::{interrupt, words};

/// A write that is under way.
pub(super) struct Spooled<'a> {
    client: Client,
    arguments: &'a Arguments,
    directory: PathBuf,
    failures: Arc<Failures>,
    rejects: Arc<Rejects>,
    watch: Arc<Watch>,
    is_quiet: bool,
}

/// Why an input was not read to its end.
struct Stopped {
    error: Error,
    /// How many of its lines are done, if some can be.
    resume: Option<usize>,
}

/// Lines that go to the client together.
struct Piece<'a> {
    client: &'a Client,
    precision: Option<Precision>,
    text: String,
    lines: usize,
    /// Lines that the client has taken.
    taken: usize,
    error: Option<Error>,
}

impl<'a> Spooled<'a> {
    /// # Errors
    /// The directory cannot be used, or something else is wrong with the settings.
    pub(super) fn open(
        arguments: &'a Arguments,
        directory: &Path,
        settings: &Settings,
        rejects: Arc<Rejects>,
        watch: Arc<Watch>,
        is_quiet: bool,
    ) -> Result<Self, Failure> {
        let failures = Arc::new(Failures::new(watch.clone(), rejects.clone()));
        let sending = &arguments.sending;
        let mut options = client::options(sending)
            .spool(Spool::directory(directory).limit(NO_LIMIT))
            .retry_interval(FIRST_WAIT)
            .max_retry_delay(LONGEST_WAIT)
            .error_callback({
                let failures = failures.clone();
                move |batch, error| failures.failure(batch, error)
            })
            .retry_callback({
                let failures = failures.clone();
                move |_, error| failures.retry(error)
            });
        if sending.max_retries > 0 {
            options = options.max_retry_time(MOST_TIME);
        }
        let client = client::open(settings, sending, options, |error| explain(directory, error))?;
        let directory = directory.to_owned();
        Ok(Self { client, arguments, directory, failures, rejects, watch, is_quiet })
    }

    pub(super) fn run(&self, inputs: &[Input], settings: &Settings) -> Result<(), Failure> {
        let reads_stdin = Arc::new(AtomicBool::new(false));
        let caught = client::close_on_interrupt(
            &self.client,
            &self.watch,
            reads_stdin.clone(),
            "what was read is sent, or kept",
        );
        let mut files = Vec::new();
        let mut end = None;
        let mut taken = 0;
        for (place, input) in inputs.iter().enumerate() {
            let resume_from = if place == 0 { self.arguments.sending.resume_from } else { 0 };
            reads_stdin.store(matches!(input, Input::Stdin { .. }), Ordering::Release);
            let (lines, result) = self.take(input, resume_from);
            taken += lines as u64;
            match result {
                Ok(report) => files.push((input.to_string(), report)),
                Err(stopped) => {
                    end = Some((place, stopped));
                    break;
                }
            }
            self.watch.end_input(input.len().unwrap_or(0));
        }
        reads_stdin.store(false, Ordering::Release);
        // After a signal nothing is waited for but what is under way.
        if !interrupt::is_caught() {
            self.flush();
        }
        let closed = self.client.close();
        let is_interrupted = interrupt::is_caught();
        drop(caught);
        self.watch.end();
        let report = self.report(files);
        let waiting = report.stats.spool.on_disk.lines;
        let written = report.written().lines;
        if end.is_none() || self.arguments.json || written + report.rejected() + waiting > 0 {
            tell(&report, self.arguments.json, self.is_quiet)?;
        }
        if let Some(problem) = self.rejects.problem() {
            eprintln!("influx3: warning: not all refused lines could be kept: {problem}");
        }
        let with_details = |failure: Failure| {
            failure.with_detail("lines_written", written).with_detail("lines_in_spool", waiting)
        };
        if let Some(failure) = self.lost(&report) {
            return Err(with_details(failure));
        }
        if let Some((place, Stopped { error, resume })) = end {
            return Err(with_details(stopped(inputs, place, error, resume, taken, settings)));
        }
        if let Err(error) = closed {
            return Err(with_details(
                settings.explain(error, Purpose::Write).with_exit(Exit::Partial),
            ));
        }
        if is_interrupted {
            return Err(with_details(Failure::interrupted("interrupted")));
        }
        match report.rejected() {
            0 => Ok(()),
            rejected => Err(with_details(self.refused(rejected))),
        }
    }

    /// Gives the lines of an input to the client; says how many it has taken as well.
    fn take(&self, input: &Input, resume_from: usize) -> (usize, Result<FileReport, Stopped>) {
        let piece = RefCell::new(Piece {
            client: &self.client,
            precision: self.arguments.columns.precision,
            text: String::new(),
            lines: 0,
            taken: 0,
            error: None,
        });
        let is_ended_here = Cell::new(false);
        let ended = |why: &str| {
            is_ended_here.set(true);
            Err(io::Error::other(why))
        };
        let is_file = matches!(input, Input::File { .. });
        let request = self.arguments.request(&self.client, input).resume_from_line(resume_from);
        let request = request.progress(|progress| {
            // Lines of a pipe that pauses do not wait for more. An error is returned with the next line.
            piece.borrow_mut().send();
            self.watch.update(progress.bytes_read, progress.bytes_total, self.lines_written());
        });
        let result = request.each_line(|line| {
            // Reading standard input fails by itself, and the lines before that are taken.
            if is_file && interrupt::is_caught() {
                return ended("interrupted");
            }
            if self.failures.lost().is_some() {
                return ended("lines before this one can be kept nowhere");
            }
            match piece.borrow_mut().add(line) {
                true => Ok(()),
                false => ended("the client did not take it"),
            }
        });
        let mut piece = piece.into_inner();
        piece.send();
        let taken = piece.taken;
        let done = Some(resume_from + taken);
        let result = match (piece.error, result) {
            (Some(error), _) => Err(Stopped { error, resume: done }),
            (None, Ok(report)) => Ok(report),
            (None, Err(error)) => {
                let resume = if is_ended_here.get() { done } else { error.resume_line() };
                Err(Stopped { error, resume })
            }
        };
        (taken, result)
    }

    /// Waits until everything is at the server, or on the disk as the server does not take it.
    fn flush(&self) {
        std::thread::scope(|scope| {
            let (end, ended) = mpsc::channel::<()>();
            scope.spawn(move || {
                while ended.recv_timeout(BETWEEN_UPDATES) == Err(RecvTimeoutError::Timeout) {
                    self.watch.update(0, 0, self.lines_written());
                }
            });
            // Failures go to the callback. After a signal the client is closed meanwhile.
            let _ = self.client.flush();
            drop(end);
        });
    }

    fn lines_written(&self) -> u64 {
        let stats = self.client.write_stats();
        stats.written.lines + stats.spool.found_written.lines
    }

    fn report(&self, files: Vec<(String, FileReport)>) -> Report {
        let spool = Waiting { directory: self.directory.clone(), reason: self.failures.reason() };
        let stats = self.client.write_stats();
        let (refused, elapsed) = (Vec::new(), self.watch.elapsed());
        Report { files, refused, stats, elapsed, spool: Some(spool) }
    }

    /// Some lines are neither at the server nor on the disk.
    fn lost(&self, report: &Report) -> Option<Failure> {
        let directory = self.directory.display();
        let (lost, message, advice) = match self.failures.lost() {
            Some((lost, why)) => (
                lost,
                format!("{} could be neither sent nor kept in {directory}: {why}", lines_of(lost)),
                "write the same once more when that is mended: a line that comes twice is stored once",
            ),
            None => match report.stats.spool.found_failed.lines {
                0 => return None,
                lost => (
                    lost,
                    format!("{} in {directory} cannot be read, and are not sent", lines_of(lost)),
                    "the files that have them are kept with the ending .bad",
                ),
            },
        };
        let failure = Failure::new(Exit::Partial, "File", message).with_advice(advice);
        Some(failure.with_detail("lines_lost", lost))
    }

    /// The server has refused `count` lines, some of which may be of an earlier run.
    fn refused(&self, count: u64) -> Failure {
        let message = format!("the server refused {}", lines_of(count));
        let mut failure = Failure::new(Exit::Partial, "PartialWrite", message);
        let refused = self.failures.refused();
        for line_error in refused.iter().take(SHOWN) {
            failure = failure.with_advice(shown(line_error));
        }
        if count > SHOWN as u64 {
            failure = failure.with_advice("…");
        }
        failure = match self.rejects.path() {
            Some(path) => failure.with_advice(format!(
                "they are in {}, with their reasons: mend them and write it",
                path.display()
            )),
            None => failure.with_advice("--rejects FILE keeps them"),
        };
        let lines = refused.iter().map(|line_error| {
            serde_json::json!({ "message": line_error.message(), "line": line_error.line() })
        });
        failure.with_detail("rejected", count).with_detail("line_errors", lines.collect::<Vec<_>>())
    }
}

impl Piece<'_> {
    /// Adds a line; false if there is an error.
    fn add(&mut self, line: &str) -> bool {
        self.text.push_str(line);
        self.text.push('\n');
        self.lines += 1;
        if self.lines < PIECE_LINES && self.text.len() < PIECE_BYTES {
            return self.error.is_none();
        }
        self.send()
    }

    /// Has the client take them; false if there is an error.
    fn send(&mut self) -> bool {
        if self.lines > 0 && self.error.is_none() {
            let mut request = self.client.write(self.text.as_str());
            if let Some(precision) = self.precision {
                request = request.precision(precision);
            }
            match request.send() {
                Ok(()) => self.taken += self.lines,
                Err(error) => self.error = Some(error),
            }
            self.text.clear();
            self.lines = 0;
        }
        self.error.is_none()
    }
}

/// What is wrong with the directory, in one sentence.
fn explain(directory: &Path, error: Error) -> Failure {
    let mut source = error.source();
    while let Some(cause) = source {
        let io = cause.downcast_ref::<io::Error>();
        if error.kind() == ErrorKind::File
            && io.is_some_and(|io| io.kind() == io::ErrorKind::WouldBlock)
        {
            let message = format!("{} is in use by another process", directory.display());
            return Failure::new(Exit::Failed, "File", message)
                .with_advice("wait until that has ended, or name another directory");
        }
        source = cause.source();
    }
    error.into()
}

/// A refused line without its number, which is one of a batch.
fn shown(line_error: &LineError) -> String {
    let message = words::of_here(line_error.message());
    let Some(line) = line_error.line() else { return message };
    let short: String = line.chars().take(SHOWN_CHARACTERS).collect();
    let more = if short.len() < line.len() { "…" } else { "" };
    format!("{message} ({}{more})", escaped(&short))
}

const PIECE_LINES: usize = 1000;
const PIECE_BYTES: usize = 1 << 20;
/// No limit of our own: only the disk limits the spool.
const NO_LIMIT: u64 = 1 << 60;
/// Short, as lines that cannot be sent go to the disk and are safe there.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const MOST_TIME: Duration = Duration::from_secs(30);
const BETWEEN_UPDATES: Duration = Duration::from_millis(500);
const SHOWN_CHARACTERS: usize = 100;
