//! The HTTP/2 connections to a host: opened when they are needed, shared by calls, kept.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::Uri;
use http::uri::InvalidUri;
use tonic::transport::{Channel, Endpoint};
use tower_service::Service;

use super::stage::CallStage;
use super::transport_failure::{ConnectionEnded, TransportFailure};
use crate::config::{Config, KeepAlive};
use crate::query::runtime::{
    BoxError, HostConnector, HostStream, Observation, Observed, ObservedStream, SharedOutcome,
    TokioIo,
};
use crate::transport::Host;

/// How many bytes a stream may have under way: a little more than 1 Gbit/s brings in a round trip of 100 ms, 12.5 MB.
const STREAM_WINDOW: u32 = 16 << 20;
/// How many calls share a connection: less than the 100 streams and more that servers and gateways allow. The window of
/// a connection has room for the windows of all of them, as an answer that is not read fills its own: with less room,
/// such answers would block the other calls of the connection.
const STREAMS: usize = 64;
const CONNECTION_WINDOW: u32 = STREAMS as u32 * STREAM_WINDOW;
/// The most bytes of an HTTP/2 frame. The default is 16 KiB; larger ones cost hyper and tonic less work for the same bytes.
const FRAME_SIZE: u32 = 1 << 20;
/// The interval of PINGs, unless a third of `idle_timeout` is shorter.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// The longest time that is given to hyper, which adds it to the time of day and panics if there is no such time: a year.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The connections of one client to one host.
pub(crate) struct Connections {
    config: Arc<Config>,
    host: Arc<Host>,
    connector: HostConnector,
    state: Mutex<OpenConnections>,
}

#[derive(Default)]
struct OpenConnections {
    open: Vec<Connection>,
    /// The attempt to connect that is under way, for all calls that wait. There is one at a time.
    opening: Option<SharedOutcome<Result<(), TransportFailure>>>,
    /// How many were opened so far: the number of the next one.
    opened: u64,
    /// Whether the server has closed a connection because of too many PINGs.
    without_pings: bool,
}

struct Connection {
    number: u64,
    channel: Channel,
    observed: Observed,
    /// How many calls use it.
    calls: usize,
}

impl Connections {
    pub(crate) fn new(config: Arc<Config>, host: Arc<Host>) -> Self {
        let connector = HostConnector::new(&config, Arc::clone(&host));
        Self { config, host, connector, state: Mutex::default() }
    }

    /// What the server says to a client that begins to speak HTTP/2, if it speaks something else.
    pub(crate) async fn first_bytes(&self) -> Vec<u8> {
        self.connector.first_bytes().await
    }

    /// A place on a connection that has room; opens one if there is none.
    ///
    /// # Errors
    ///
    /// An attempt to connect that began after this call has failed.
    pub(crate) async fn lease(self: &Arc<Self>) -> Result<Lease, TransportFailure> {
        let since = Instant::now();
        let mut is_new = false;
        loop {
            let opening = {
                let mut state = self.lock();
                if let Some(lease) = self.place(&mut state, is_new) {
                    return Ok(lease);
                }
                state.opening.get_or_insert_with(|| self.open()).clone()
            };
            is_new = true;
            match opening.outcome().await {
                Some(Ok(())) => {}
                // That attempt began before this call: one that begins now may succeed.
                Some(Err(failure)) if failure.began_before(since) => {}
                Some(Err(failure)) => return Err(failure),
                None => {
                    self.lock().opening = None;
                    return Err(TransportFailure::new(
                        CallStage::Connecting,
                        "the task that connects died",
                    ));
                }
            }
        }
    }

    /// From now on, connections are opened that send no PINGs.
    pub(crate) fn stop_pings(&self) {
        let mut state = self.lock();
        if !state.without_pings {
            state.without_pings = true;
            log::warn!(
                "{} closes connections that send PINGs: no more are sent (keep_alive_interval)",
                self.host
            );
        }
    }

    /// A place on an open connection; `None` if none has room.
    fn place(self: &Arc<Self>, state: &mut OpenConnections, is_new: bool) -> Option<Lease> {
        let connection = state.open.iter_mut().find(|connection| connection.calls < STREAMS)?;
        connection.calls += 1;
        Some(Lease {
            connections: Arc::clone(self),
            number: connection.number,
            channel: connection.channel.clone(),
            observed: connection.observed.clone(),
            is_new,
        })
    }

    /// Starts to open a connection.
    fn open(self: &Arc<Self>) -> SharedOutcome<Result<(), TransportFailure>> {
        let this = Arc::clone(self);
        SharedOutcome::spawn(async move {
            let observed = Observed::default();
            let begin = Instant::now();
            let connected = this.connect(observed.clone()).await;
            if connected.is_ok() {
                let host = &this.host;
                log::debug!("connected to {host} for queries in {:?}", begin.elapsed());
            }
            let mut state = this.lock();
            state.opening = None;
            let channel = connected?;
            state.opened += 1;
            let number = state.opened;
            state.open.push(Connection { number, channel, observed, calls: 0 });
            Ok(())
        })
    }

    /// Opens a connection and begins HTTP/2 on it.
    async fn connect(&self, observed: Observed) -> Result<Channel, TransportFailure> {
        let failed =
            |error: tonic::transport::Error| TransportFailure::new(CallStage::Connecting, error);
        let config = &self.config;
        // The connector does TLS, so that tonic must not: it gets an address of http://, and the real origin, which requests
        // name to the server.
        let origin = self.host.to_string();
        let plain = origin.replacen("https://", "http://", 1);
        let origin = origin
            .parse()
            .map_err(|error: InvalidUri| TransportFailure::new(CallStage::Connecting, error))?;
        let mut endpoint = Endpoint::from_shared(plain)
            .map_err(failed)?
            .origin(origin)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(FRAME_SIZE)
            .http2_max_header_list_size(64 << 10);
        if let Some(interval) = self.ping_interval() {
            // Servers answer PINGs also while they plan a query. An interval of a third, and two thirds of patience: a dead
            // connection is noticed within `idle_timeout`.
            let patience = config.idle_timeout - config.idle_timeout / 3;
            endpoint = endpoint
                .http2_keep_alive_interval(interval)
                .keep_alive_timeout(patience.clamp(Duration::from_secs(1), LONGEST))
                .keep_alive_while_idle(true);
        }
        let one = OneConnection(Some((self.connector.clone(), observed)));
        endpoint.connect_with_connector(one).await.map_err(failed)
    }

    /// `None` if no PINGs are to be sent.
    fn ping_interval(&self) -> Option<Duration> {
        if self.lock().without_pings {
            return None;
        }
        match self.config.keep_alive {
            KeepAlive::Automatic => {
                let third = self.config.idle_timeout / 3;
                Some(third.clamp(Duration::from_secs(1), PING_INTERVAL))
            }
            KeepAlive::Every(interval) => Some(interval.min(LONGEST)),
            KeepAlive::Off => None,
        }
    }

    /// Ends a call on this connection. One without calls is kept only if no other has room.
    fn give_back(&self, number: u64) {
        let mut state = self.lock();
        let mut others_have_room = false;
        let mut place = None;
        for (index, connection) in state.open.iter_mut().enumerate() {
            if connection.number == number {
                connection.calls -= 1;
                place = Some(index).filter(|_| connection.calls == 0);
            } else {
                others_have_room |= connection.calls < STREAMS;
            }
        }
        if let Some(place) = place.filter(|_| others_have_room) {
            state.open.remove(place);
        }
    }

    fn lock(&self) -> MutexGuard<'_, OpenConnections> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of a call on a connection. Given back when it is dropped.
pub(crate) struct Lease {
    connections: Arc<Connections>,
    number: u64,
    channel: Channel,
    observed: Observed,
    /// Whether the connection was opened while this call waited for one.
    pub(crate) is_new: bool,
}

impl Lease {
    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// What was observed on the connection so far.
    pub(crate) fn observation(&self) -> Observation {
        self.observed.get()
    }

    /// Takes the connection away from further calls. Those that use it go on.
    pub(crate) fn retire(&self) {
        self.connections.lock().open.retain(|connection| connection.number != self.number);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.connections.give_back(self.number);
    }
}

/// Gives tonic one connection, and an error when it wants another: tonic connects again by itself when a connection ends, and
/// then neither the limit of calls nor what is observed would be those of the connection that is used.
struct OneConnection(Option<(HostConnector, Observed)>);

type ObservedConnection = TokioIo<ObservedStream<HostStream>>;

impl Service<Uri> for OneConnection {
    type Response = ObservedConnection;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<ObservedConnection, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match &mut self.0 {
            Some((connector, _)) => connector.poll_ready(cx).map_err(Into::into),
            None => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        match self.0.take() {
            Some((mut connector, observed)) => {
                let connecting = connector.call(uri);
                Box::pin(async {
                    let stream = connecting.await?.into_inner();
                    Ok(TokioIo::new(ObservedStream::new(stream, observed)))
                })
            }
            None => Box::pin(std::future::ready(Err(ConnectionEnded.into()))),
        }
    }
}
