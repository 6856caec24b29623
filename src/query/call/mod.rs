//! A remote call: its connection, its request, its deadline and its status, and the errors that it can end with.

mod connections;
mod error_context;
mod failure_errors;
mod grpc_call;
mod grpc_status;
mod header_list;
mod http1_answer;
mod http_status;
mod stage;
mod transport_failure;

pub(crate) use error_context::ErrorContext;
pub(crate) use grpc_call::{
    AnswerBody, Call, CallError, Method, Piece, Server, is_idle, read_text, without_status,
};
pub(crate) use grpc_status::Trailers;
pub(crate) use header_list::{HeaderList, header_list};
pub(crate) use stage::{CallStage, SharedStage, batch_timed_out, table_timed_out};
pub(crate) use transport_failure::TransportFailure;
