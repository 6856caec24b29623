//! Connections: one port for HTTP/1.1, HTTP/2 and Flight.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http::{Request, Response, Version, header::CONTENT_TYPE};
use hyper::{body::Incoming, rt::Executor, service::service_fn};
use hyper_util::{rt::TokioIo, server::conn::auto};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_rustls::TlsAcceptor;
use tonic::{body::Body, codegen::Service};

use crate::{
    flight,
    http::{Closed, answer},
    shared::Shared,
    tasks::Tasks,
};

/// Takes connections until told to stop, or until something has panicked: then it panics as well.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    mut stopped: oneshot::Receiver<()>,
) {
    let (tasks, mut panicked) = Tasks::new();
    loop {
        let stream = tokio::select! {
            // Told to, or nobody is left who could.
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

/// Serves one connection to its end. However that comes, the client sees it as well.
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
    let flight = flight::service(shared.clone(), tasks.clone());
    let queries = tasks.clone();
    let service = service_fn(move |request| {
        dispatch(request, shared.clone(), queries.clone(), flight.clone())
    });
    auto::Builder::new(tasks).serve_connection(TokioIo::new(stream), service).await
}

/// A request is gRPC if it says so and came over HTTP/2, whatever its path is.
async fn dispatch(
    request: Request<Incoming>,
    shared: Arc<Shared>,
    tasks: Tasks,
    mut flight: flight::Server,
) -> Result<Response<Body>, Closed> {
    let grpc = request.version() == Version::HTTP_2
        && request
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    if grpc {
        let answered: Result<_, Infallible> = flight.call(request).await;
        return answered.map_err(|never| match never {});
    }
    answer(&shared, &tasks, request).await
}
