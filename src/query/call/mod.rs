//! A remote call: its connection, its request, its deadline and its status, and the errors that it can end with.

mod answer_body;
mod call_error;
mod connections;
mod error_context;
mod failure_errors;
mod grpc_status;
mod header_list;
mod http1_answer;
mod http_status;
mod method;
mod request_headers;
mod server;
mod stage;
mod transport_failure;

pub(crate) use answer_body::{AnswerBody, AnswerPiece, without_status};
pub(crate) use call_error::CallError;
pub(crate) use grpc_status::Trailers;
pub(crate) use method::GrpcMethod;
pub(crate) use server::{Call, GrpcServer};
pub(crate) use stage::{CallStage, SharedStage, batch_timed_out, table_timed_out};
// What queries over HTTP/1.1 have in common with calls of gRPC.
#[cfg(feature = "parquet")]
pub(crate) use {
    answer_body::{is_idle, read_text},
    error_context::ErrorContext,
    header_list::{HeaderList, header_list},
    request_headers::insert_headers,
    transport_failure::TransportFailure,
};
