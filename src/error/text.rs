//! How errors look.

use std::fmt;

use super::Error;
#[cfg(feature = "write")]
use super::call_details::CallDetails;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        #[cfg(feature = "write")]
        show_call(&self.0.call, f)?;
        if f.alternate() {
            let mut cause = std::error::Error::source(self);
            while let Some(error) = cause {
                write!(f, ": {error}")?;
                cause = error.source();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.0.kind).field("message", &self.0.message);
        #[cfg(feature = "write")]
        debug_call(&self.0.call, &mut out);
        if let Some(source) = &self.0.source {
            out.field("source", source);
        }
        out.finish()
    }
}

#[cfg(feature = "write")]
fn show_call(call: &CallDetails, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some(advice) = call.advice {
        write!(f, "; {advice}")?;
    }
    if let Some(line) = call.resume_line {
        write!(f, " ({line} lines of the file are settled: resume_from_line({line}) goes on)")?;
    }
    for error in call.line_errors.iter().take(SHOWN_LINE_ERRORS) {
        write!(f, "\n\t{error}")?;
    }
    let hidden = call.line_errors.len().saturating_sub(SHOWN_LINE_ERRORS);
    if hidden > 0 {
        write!(f, "\n\tand {hidden} more lines")?;
    }
    Ok(())
}

#[cfg(feature = "write")]
fn debug_call(call: &CallDetails, out: &mut fmt::DebugStruct<'_, '_>) {
    if let Some(advice) = call.advice {
        out.field("advice", &advice);
    }
    if let Some(status) = call.status {
        out.field("status", &status);
    }
    if let Some(code) = call.grpc_status {
        out.field("grpc_status", &code);
    }
    if let Some(wait) = call.retry_after {
        out.field("retry_after", &wait);
    }
    if !call.line_errors.is_empty() {
        out.field("line_errors", &call.line_errors);
    }
    if !call.unsent.is_empty() {
        out.field("lines_written", &call.lines_written).field("unsent", &call.unsent);
    }
}

#[cfg(feature = "write")]
const SHOWN_LINE_ERRORS: usize = 10;
