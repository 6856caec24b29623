//! Directories for spools, and servers that are there or not.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use influxdb3_blocking::Spool;

use crate::support::batching::numbers;
use crate::support::http::{Reply, Server};

/// A directory of its own, which is removed in the end.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("spool-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        Self(std::env::temp_dir().join(name))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A spool there.
    pub(crate) fn spool(&self) -> Spool {
        Spool::directory(&self.0)
    }

    /// The names of its files, sorted, but for the lock.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != "lock").collect();
        names.sort();
        names
    }

    /// What is in its segments.
    pub(crate) fn text(&self) -> String {
        let names = self.names();
        let read = |name: &String| std::fs::read_to_string(self.0.join(name)).unwrap();
        names.iter().map(read).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether a server takes what it is given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Switch(Arc<AtomicBool>);

impl Switch {
    pub(crate) fn turn_on(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn turn_off(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    pub(crate) fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A server that answers with this status while the switch is off, and takes everything while it is on.
pub(crate) fn server(status_when_off: u16) -> (Server, Switch) {
    let switch = Switch::default();
    let own = switch.clone();
    let server =
        Server::start(move |_, _| Reply::status(if own.is_on() { 204 } else { status_when_off }));
    (server, switch)
}

/// The numbers of the points that a server was sent, in order, from this request on.
pub(crate) fn sent(server: &Server, from_request: usize) -> Vec<i64> {
    let requests = server.requests();
    requests[from_request..].iter().flat_map(|request| numbers(&request.body)).collect()
}
