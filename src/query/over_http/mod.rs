//! A query over HTTP/1.1, for networks that do not pass HTTP/2: the request, and the file of Parquet that answers it, in the
//! pieces in which it is received.

mod errors;
mod exchange;

pub(crate) use exchange::{HttpEvent, HttpServer, HttpStatement};
