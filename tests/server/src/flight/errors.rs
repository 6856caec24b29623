//! Errors as gRPC states.

use std::error::Error;

use datafusion::error::DataFusionError;
use tonic::{Code, Status};

use crate::{influxql::NotHere, release::Release};

/// An error before the first message. What only this server has not is no error that a real one gives.
pub(super) fn planning(error: &DataFusionError, release: Release) -> Status {
    if let DataFusionError::External(external) = error
        && external.is::<NotHere>()
    {
        return Status::unimplemented(external.to_string());
    }
    let planning = if release.blames_queries() { "logically planning" } else { "planning" };
    let message = format!("Error while {planning} query: {error}");
    Status::new(code(error), with_causes(message, error))
}

/// An error in the stream, after the schema.
pub(super) fn running(error: &DataFusionError) -> Status {
    let message = format!("Error while execution Flight SQL stream: External error: {error}");
    Status::new(code(error), with_causes(message, error))
}

/// Everything that a query can do wrong is one code, missing columns and divisions by zero alike.
fn code(error: &DataFusionError) -> Code {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => Code::ResourceExhausted,
        DataFusionError::Internal(_) => Code::Internal,
        _ => Code::InvalidArgument,
    }
}

/// Adds what the causes say that was not said yet, piece by piece between the colons. That reads
/// oddly at times, but the real server makes its messages in this way.
fn with_causes(mut message: String, error: &dyn Error) -> String {
    let mut cause = error.source();
    while let Some(error) = cause {
        for piece in error.to_string().split(": ") {
            if !message.split(": ").any(|said| said == piece) {
                message.push_str(": ");
                message.push_str(piece);
            }
        }
        cause = error.source();
    }
    message
}
