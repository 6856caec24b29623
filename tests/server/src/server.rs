//! The server and its thread.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::{self, JoinHandle},
};

use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::{DevServerBuilder, Request, listen, shared::Shared};

/// A running server: HTTP and Flight on one port, on a thread of its own.
///
/// Dropping it closes all connections and waits for the thread. If the server had panicked, the
/// drop panics with the same words, so that the test fails which caused it.
///
/// It can be started anywhere, inside a tokio runtime too: nothing of the caller's runtime is used.
///
/// ```
/// use influxdb3_dev_server::DevServer;
///
/// let server = DevServer::start()?;
/// println!("listening on {}", server.url());
/// assert_eq!(server.tables("sensors"), Vec::<String>::new());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct DevServer {
    addr: SocketAddr,
    https: bool,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl DevServer {
    /// Starts a server on a free port of 127.0.0.1, without authentication and without TLS.
    ///
    /// # Errors
    /// No port can be listened on, or the system gives no thread.
    pub fn start() -> io::Result<DevServer> {
        DevServer::builder().start()
    }

    /// Settings for a server, to be started with [`DevServerBuilder::start`].
    pub fn builder() -> DevServerBuilder {
        DevServerBuilder::default()
    }

    /// `http://127.0.0.1:PORT`, or `https://…` with TLS.
    pub fn url(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }

    /// The address that the server listens on, with the port that the system chose.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// All requests so far in the order in which they came in, if the server was started with
    /// [`DevServerBuilder::record_requests`]; else none.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.all()
    }

    /// Names of a database's tables, sorted; none if there is no such database.
    pub fn tables(&self, database: &str) -> Vec<String> {
        self.shared.store.tables(database)
    }

    /// Rows of a table; 0 if there is no such table.
    pub fn rows(&self, database: &str, table: &str) -> usize {
        self.shared.store.rows(database, table)
    }

    /// Blocks until the server ends, which it does only by a panic of its own.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            pass_on(thread.join());
        }
    }

    pub(crate) fn run(
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        shared: Arc<Shared>,
    ) -> io::Result<DevServer> {
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let https = tls.is_some();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _entered = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let serve = listen::serve(listener, tls, shared.clone(), stopped);
        let thread =
            thread::Builder::new().name("influxdb3-dev-server".into()).spawn(move || {
                runtime.block_on(serve);
                // A query may still compute; it will find out that nobody waits for it.
                runtime.shutdown_background();
            })?;
        Ok(DevServer { addr, https, shared, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for DevServer {
    fn drop(&mut self) {
        // The other end is gone if the thread has ended already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(thread) = self.thread.take() {
            pass_on(thread.join());
        }
    }
}

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
