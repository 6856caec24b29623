//! Connections: one port for HTTP/1.1, HTTP/2 and Flight.

use std::{sync::Arc, time::Duration};

use http::{Request, Response, Version, header::CONTENT_TYPE};
use hyper::{body::Incoming, rt::Executor, service::service_fn};
use hyper_util::{rt::TokioIo, server::conn::auto};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_rustls::TlsAcceptor;

#[cfg(feature = "query")]
use crate::flight;
use crate::{
    http::{Body, Closed, answer},
    shared::Shared,
    tasks::Tasks,
};

/// Accepts connections until it is stopped, or until a task has panicked: then it panics as well.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    mut stopped: oneshot::Receiver<()>,
) {
    let (tasks, mut panicked) = Tasks::new();
    loop {
        let stream = tokio::select! {
            // Stopped, or the sender that could stop it is gone.
            _ = &mut stopped => return,
            Some(panic) = panicked.recv() => std::panic::resume_unwind(panic),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of file descriptors, for one: other connections go on and may free some.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
            },
        };
        tasks.execute(connection(stream, tls.clone(), shared.clone(), tasks.clone()));
    }
}

/// Serves one connection until either side ends it, which the client notices as well.
async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    tasks: Tasks,
) {
    // Small answers must not wait for more.
    let _ = stream.set_nodelay(true);
    let _ = match tls {
        None => talk(stream, shared, tasks).await,
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => talk(stream, shared, tasks).await,
            Err(error) => Err(error.into()),
        },
    };
}

async fn talk<S>(
    stream: S,
    shared: Arc<Shared>,
    tasks: Tasks,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let halves = Halves {
        #[cfg(feature = "query")]
        flight: flight::service(shared.clone(), tasks.clone()),
        shared,
        tasks: tasks.clone(),
    };
    let service = service_fn(move |request| halves.clone().answer(request));
    auto::Builder::new(tasks).serve_connection(TokioIo::new(stream), service).await
}

/// What a port answers: HTTP and Flight.
#[derive(Clone)]
struct Halves {
    shared: Arc<Shared>,
    tasks: Tasks,
    #[cfg(feature = "query")]
    flight: flight::Server,
}

impl Halves {
    /// A request is gRPC if its content type says so and it was sent over HTTP/2, with any path.
    async fn answer(self, request: Request<Incoming>) -> Result<Response<Body>, Closed> {
        let grpc = request.version() == Version::HTTP_2
            && request
                .headers()
                .get(CONTENT_TYPE)
                .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
        match grpc {
            true => self.grpc(request).await,
            false => answer(&self.shared, &self.tasks, request).await,
        }
    }

    #[cfg(feature = "query")]
    async fn grpc(mut self, request: Request<Incoming>) -> Result<Response<Body>, Closed> {
        use tonic::codegen::Service;

        use crate::answers::Kind;

        // `DoGet` is the only method that there is.
        let answer = match request.uri().path().ends_with("/DoGet") {
            true => self.shared.query_answers.next(),
            false => None,
        };
        match answer {
            Some(Kind::Said(said)) => return Ok(said.grpc().into_http()),
            Some(Kind::Closed) => return Err(Closed),
            Some(Kind::Lost) | None => {}
        }
        let answered: Result<_, std::convert::Infallible> = self.flight.call(request).await;
        let Ok(answered) = answered;
        if answer.is_some() { Err(Closed) } else { Ok(answered) }
    }

    /// UNIMPLEMENTED, without a body.
    #[cfg(not(feature = "query"))]
    async fn grpc(self, _request: Request<Incoming>) -> Result<Response<Body>, Closed> {
        let mut answer = Response::new(Body::default());
        let headers = [
            ("content-type", "application/grpc"),
            ("grpc-status", "12"),
            ("grpc-message", crate::http::NO_QUERIES),
        ];
        for (name, value) in headers {
            answer.headers_mut().insert(name, http::HeaderValue::from_static(value));
        }
        Ok(answer)
    }
}
