//! The writing of inputs, one after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use influxdb3_blocking::{Batch, Client, Error, FileReport, Precision};

use super::arguments::Arguments;
use super::client;
use super::inputs::{self, Input};
use super::outcome::{SHOWN, lines_of, stopped, tell};
use super::progress::Watch;
use super::rejects::Rejects;
use super::report::Report;
use super::spooled::Spooled;
use super::{dry_run, inputs::expand};
use crate::common::Common;
use crate::connection::{Purpose, Settings};
use crate::failure::{Exit, Failure};
use crate::terminal::quoted;
use crate::{interrupt, words};

pub(crate) fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let spool = arguments.sending.spool.as_deref().filter(|_| arguments.dry_run.is_none());
    let inputs = match arguments.sending.drain {
        true => Vec::new(),
        false => expand(&arguments.files, arguments.format, spool.is_some())?,
    };
    let settings = Settings::resolve(common)?;
    let reads_stdin = inputs.iter().any(|input| matches!(input, Input::Stdin { .. }));
    if reads_stdin && settings.needs_stdin() {
        return Err(Failure::usage("standard input cannot be both the token and what is written"));
    }
    if let Some(form) = arguments.dry_run {
        return dry_run::run(&arguments, &inputs, form);
    }
    if !inputs.is_empty() {
        settings.database()?;
    } else if arguments.sending.resume_from > 0 {
        return Err(Failure::usage("--resume-from is about the first file, and there is none"));
    }
    if let Some(path) = &arguments.sending.rejects {
        inputs::check_rejects(&inputs, path)?;
    }
    let rejects = Rejects::open(arguments.sending.rejects.as_deref()).map_err(|error| {
        let path = arguments.sending.rejects.as_deref().unwrap_or_else(|| "".as_ref());
        Failure::io(path.display(), &error)
    })?;
    let rejects = Arc::new(rejects);
    // Without inputs it is not known how much there is to do.
    let total = inputs.iter().map(Input::len).sum::<Option<u64>>();
    let watch = Arc::new(Watch::new(total.filter(|_| !inputs.is_empty()), common.quiet));
    if let Some(directory) = spool {
        let spooled =
            Spooled::open(&arguments, directory, &settings, rejects, watch, common.quiet)?;
        return spooled.run(&inputs, &settings);
    }
    let refused = rejects.clone();
    let on_failure = move |batch: &Batch, error: &Error| {
        if !error.line_errors().is_empty() {
            refused.add(batch, error);
        }
    };
    let retried = watch.clone();
    let on_retry = move |_: &Batch, error: &Error| {
        retried.count_retry();
        retried.tell(&format!("trying again: {error}"));
    };
    let options =
        client::options(&arguments.sending).error_callback(on_failure).retry_callback(on_retry);
    let writing = Writing {
        client: client::open(&settings, &arguments.sending, options, Failure::from)?,
        rejects,
        watch,
        is_quiet: common.quiet,
        precision: arguments.columns.precision,
    };
    writing.run(&arguments, &inputs, &settings)
}

/// A write that is under way.
struct Writing {
    client: Client,
    /// Where the lines go that the server refuses.
    rejects: Arc<Rejects>,
    watch: Arc<Watch>,
    is_quiet: bool,
    precision: Option<Precision>,
}

/// How it ended for one input.
enum Ended {
    Written(FileReport),
    /// The server refused some lines.
    InPart(Error),
    Stopped(Error),
}

impl Writing {
    fn run(
        &self,
        arguments: &Arguments,
        inputs: &[Input],
        settings: &Settings,
    ) -> Result<(), Failure> {
        let reads_stdin = Arc::new(AtomicBool::new(false));
        let caught = client::close_on_interrupt(
            &self.client,
            &self.watch,
            reads_stdin.clone(),
            "what was read is being sent",
        );
        let mut files = Vec::new();
        let mut refused = Vec::new();
        let mut end = None;
        for (place, input) in inputs.iter().enumerate() {
            let resume_from = if place == 0 { arguments.sending.resume_from } else { 0 };
            reads_stdin.store(matches!(input, Input::Stdin { .. }), Ordering::Release);
            match self.write(arguments, input, resume_from) {
                Ended::Written(report) => files.push((input.to_string(), report)),
                Ended::InPart(error) => refused.push((input, error)),
                Ended::Stopped(error) => {
                    end = Some((place, error));
                    break;
                }
            }
            self.watch.end_input(input.len().unwrap_or(0));
        }
        let closed = self.client.close();
        drop(caught);
        self.watch.end();
        let report = self.report(files, &refused);
        // Where nothing was done there is nothing to sum up.
        if end.is_none()
            || arguments.json
            || report.stats.written.lines + report.stats.rejected.lines > 0
        {
            tell(&report, arguments.json, self.is_quiet)?;
        }
        if let Some(problem) = self.rejects.problem() {
            eprintln!("influx3: warning: not all refused lines could be kept: {problem}");
        }
        let written = report.stats.written.lines;
        if let Some((place, error)) = end {
            let resume = error.resume_line();
            return Err(stopped(inputs, place, error, resume, written, settings));
        }
        if let Err(error) = closed {
            let failure = settings.explain(error, Purpose::Write);
            return Err(if written > 0 { failure.with_exit(Exit::Partial) } else { failure });
        }
        if report.stats.rejected.lines > 0 || !refused.is_empty() {
            return Err(self.refused(&report, &refused));
        }
        Ok(())
    }

    fn write(&self, arguments: &Arguments, input: &Input, resume_from: usize) -> Ended {
        let client = &self.client;
        let request = arguments.request(client, input).resume_from_line(resume_from);
        let request = request.progress(|progress| {
            let written = client.write_stats().written;
            self.watch.update(progress.bytes_read, progress.bytes_total, written.lines);
            // Nothing more is begun after a signal. (Standard input fails by itself.)
            if interrupt::is_caught() && matches!(input, Input::File { .. }) {
                // The next part of the file returns the error.
                let _ = client.close();
            }
            if let Some(rate) = arguments.sending.rate_limit {
                self.wait_for(written.bytes, rate);
            }
        });
        match request.send() {
            Ok(report) => Ended::Written(report),
            Err(error) if error.resume_line().is_none() && !error.line_errors().is_empty() => {
                Ended::InPart(error)
            }
            Err(error) => Ended::Stopped(error),
        }
    }

    /// Waits until `bytes` bytes may have been sent at `rate` bytes a second.
    fn wait_for(&self, bytes: u64, rate: f64) {
        loop {
            let due = bytes as f64 / rate - self.watch.elapsed().as_secs_f64();
            if due <= 0.0 || interrupt::is_caught() {
                return;
            }
            std::thread::sleep(Duration::from_secs_f64(due.min(0.1)));
        }
    }

    fn report(&self, files: Vec<(String, FileReport)>, refused: &[(&Input, Error)]) -> Report {
        let stats = self.client.write_stats();
        let refused =
            refused.iter().map(|(input, error)| (input.to_string(), error.line_errors().len()));
        Report {
            files,
            refused: refused.collect(),
            stats,
            elapsed: self.watch.elapsed(),
            spool: None,
        }
    }

    /// Some lines were refused, and all others written.
    fn refused(&self, report: &Report, refused: &[(&Input, Error)]) -> Failure {
        let count = report.stats.rejected.lines;
        let mut failure = Failure::new(
            Exit::Partial,
            "PartialWrite",
            match report.stats.written.lines {
                0 => format!("the server refused {}, and there are no others", lines_of(count)),
                _ => format!("the server refused {}; all others are written", lines_of(count)),
            },
        );
        let errors = refused.iter().flat_map(|(input, error)| {
            error.line_errors().iter().map(move |line_error| {
                format!("{input}: {}", words::of_here(&line_error.to_string()))
            })
        });
        for error in errors.take(SHOWN) {
            failure = failure.with_advice(error);
        }
        if count > SHOWN as u64 {
            failure = failure.with_advice("…");
        }
        failure = match self.rejects.path() {
            Some(path) => {
                let precision = self.precision.map(|unit| format!("--precision {unit} "));
                failure.with_advice(format!(
                    "they are in {0}: mend them and write it: influx3 write {1}{0}",
                    quoted(path),
                    precision.unwrap_or_default()
                ))
            }
            None => failure.with_advice("--rejects FILE keeps them"),
        };
        let lines = refused.iter().flat_map(|(input, error)| {
            error.line_errors().iter().map(move |line_error| {
                serde_json::json!({
                    "file": input.to_string(),
                    "line_number": line_error.line_number(),
                    "message": line_error.message(),
                    "line": line_error.line(),
                })
            })
        });
        failure.with_detail("rejected", count).with_detail("line_errors", lines.collect::<Vec<_>>())
    }
}
