//! How errors look.

use std::fmt;

use super::Error;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(line) = self.0.resume_line {
            write!(f, " ({line} lines of the file are settled: resume_from_line({line}) goes on)")?;
        }
        for error in self.0.line_errors.iter().take(SHOWN_LINE_ERRORS) {
            write!(f, "\n\t{error}")?;
        }
        let hidden = self.0.line_errors.len().saturating_sub(SHOWN_LINE_ERRORS);
        if hidden > 0 {
            write!(f, "\n\tand {hidden} more lines")?;
        }
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
        if let Some(status) = self.0.status {
            out.field("status", &status);
        }
        if let Some(code) = self.0.grpc_status {
            out.field("grpc_status", &code);
        }
        if let Some(wait) = self.0.retry_after {
            out.field("retry_after", &wait);
        }
        if !self.0.line_errors.is_empty() {
            out.field("line_errors", &self.0.line_errors);
        }
        if !self.0.unsent.is_empty() {
            out.field("lines_written", &self.0.lines_written).field("unsent", &self.0.unsent);
        }
        if let Some(source) = &self.0.source {
            out.field("source", source);
        }
        out.finish()
    }
}

const SHOWN_LINE_ERRORS: usize = 10;
