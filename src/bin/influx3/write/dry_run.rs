//! What would be written, without a server.

use std::io::{self, BufWriter, Write as _};

use influxdb3_blocking::{Client, Precision};

use super::arguments::{Arguments, DryRun};
use super::inputs::Input;
use super::summary::Summary;
use crate::failure::Failure;

pub(super) fn run(arguments: &Arguments, inputs: &[Input], form: DryRun) -> Result<(), Failure> {
    if form == DryRun::Lines && arguments.json {
        return Err(Failure::usage("--json is about a summary")
            .with_advice("ask for one with --dry-run=summary"));
    }
    // Nothing is sent, so it does not matter whereto.
    let client = Client::builder().host("http://127.0.0.1:8181").database("dry-run").build()?;
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut summary = Summary::new(arguments.columns.precision.unwrap_or(Precision::Nanosecond));
    for (place, input) in inputs.iter().enumerate() {
        let resume_from = if place == 0 { arguments.sending.resume_from } else { 0 };
        let request = arguments.request(&client, input).resume_from_line(resume_from);
        match form {
            DryRun::Lines => request.each_line(|line| {
                out.write_all(line.as_bytes())?;
                out.write_all(b"\n")
            })?,
            DryRun::Summary => request.each_line(|line| {
                summary.add(line);
                Ok(())
            })?,
        };
    }
    let failed = |error: io::Error| Failure::io("standard output", &error);
    if form == DryRun::Summary {
        let text = match arguments.json {
            true => format!("{}\n", summary.to_json()),
            false => summary.to_string(),
        };
        out.write_all(text.as_bytes()).map_err(failed)?;
    }
    out.flush().map_err(failed)
}
