//! The thread that serves the port.

use std::{
    io,
    net::{self, SocketAddr},
    sync::Arc,
    thread::{self, JoinHandle},
};

use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
};
use tokio_rustls::TlsAcceptor;

use crate::{listen, shared::Shared};

/// A thread that serves a port. Dropping it closes the port and all connections and waits for the thread; if that has
/// panicked, the drop panics with the same words.
#[derive(Debug)]
pub(crate) struct Serving {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    pub(crate) fn start(
        port: Port,
        tls: Option<TlsAcceptor>,
        shared: Arc<Shared>,
    ) -> io::Result<Serving> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _entered = runtime.enter();
            port.listen()?
        };
        let (stop, stopped) = oneshot::channel();
        let serve = listen::serve(listener, tls, shared, stopped);
        let thread =
            thread::Builder::new().name("influxdb3-dev-server".into()).spawn(move || {
                runtime.block_on(serve);
                // A query may still run; it ends when it finds its channel closed.
                runtime.shutdown_background();
            })?;
        Ok(Serving { stop: Some(stop), thread: Some(thread) })
    }

    /// Waits for the thread, which ends only by a panic unless it is stopped.
    pub(crate) fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            pass_on(thread.join());
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // The other end is gone if the thread has ended already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(thread) = self.thread.take() {
            pass_on(thread.join());
        }
    }
}

/// A port that belongs to this process and is not served.
#[derive(Debug)]
pub(crate) enum Port {
    /// Connections wait to be accepted.
    Listening(net::TcpListener),
    /// Connections are refused.
    Reserved(TcpSocket),
}

impl Port {
    pub(crate) fn listen_at(addr: SocketAddr) -> io::Result<Port> {
        Ok(Port::Listening(net::TcpListener::bind(addr)?))
    }

    /// Takes a port that was just given up, before another program does.
    pub(crate) fn reserve(addr: SocketAddr) -> io::Result<Port> {
        let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // Connections of before may linger. Elsewhere the option would share the port with others.
        #[cfg(not(windows))]
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        Ok(Port::Reserved(socket))
    }

    pub(crate) fn addr(&self) -> io::Result<SocketAddr> {
        match self {
            Port::Listening(listener) => listener.local_addr(),
            Port::Reserved(socket) => socket.local_addr(),
        }
    }

    fn listen(self) -> io::Result<TcpListener> {
        match self {
            Port::Listening(listener) => {
                listener.set_nonblocking(true)?;
                TcpListener::from_std(listener)
            }
            Port::Reserved(socket) => socket.listen(BACKLOG),
        }
    }
}

/// Connections that wait to be accepted, as many as the standard library's listeners have.
const BACKLOG: u32 = 128;

/// A panic of the server is a panic here, but never a second one.
fn pass_on(ended: thread::Result<()>) {
    if let Err(panic) = ended
        && !thread::panicking()
    {
        std::panic::resume_unwind(panic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_server_is_passed_on_with_its_words() {
        let ended = thread::spawn(|| std::panic::resume_unwind(Box::new("the words"))).join();
        let passed = thread::spawn(move || pass_on(ended)).join().unwrap_err();
        assert_eq!(passed.downcast_ref(), Some(&"the words"));
        pass_on(Ok(()));
    }
}
