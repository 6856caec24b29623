//! Queries over HTTP/1.1, for networks that do not pass HTTP/2: the answer is a file of Parquet, which keeps the types.

mod answer;
mod errors;
mod exchange;
mod parquet;

pub(super) use answer::HttpAnswer;
pub(super) use exchange::{HttpEvent, HttpQuery, HttpServer};
