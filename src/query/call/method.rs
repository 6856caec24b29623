use std::future::Future;

use bytes::Bytes;

use super::answer_body::AnswerBody;
use super::call_error::CallError;
use super::grpc_status::Trailers;

/// A method of a gRPC service, one request of it, and how its answer is read.
pub(crate) trait GrpcMethod {
    /// As the path has it: `package.Service/Method`.
    const NAME: &'static str;

    /// The message of the request, with the prefix of gRPC.
    fn request(&self) -> Bytes;

    /// Reads the answer up to its end.
    fn read(
        &self,
        answer: AnswerBody<'_>,
    ) -> impl Future<Output = Result<Trailers, CallError>> + Send;
}
