//! Where a host is. The system is asked once in a while, and for an address not at all: to ask it within a time takes a
//! thread, which for each request is more than the rest of the request.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::http::uri::Authority;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Asks another resolver, and keeps its answer for a while.
#[derive(Debug, Default)]
pub(super) struct Remembering<R> {
    system: R,
    known: Arc<Known>,
}

/// What was found out last: requests go to one host, or to one proxy.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Option<Answer>>);

#[derive(Clone, Debug)]
struct Answer {
    authority: Authority,
    addresses: Vec<SocketAddr>,
    until: Instant,
}

impl<R> Remembering<R> {
    pub(super) fn known(&self) -> Arc<Known> {
        self.known.clone()
    }
}

impl Known {
    /// A request has failed: the host may be somewhere else by now.
    pub(super) fn forget(&self) {
        *self.lock() = None;
    }

    fn get(&self, authority: &Authority, now: Instant) -> Option<Vec<SocketAddr>> {
        let known = self.lock();
        let is_good = |answer: &&Answer| answer.authority == *authority && now < answer.until;
        known.as_ref().filter(is_good).map(|answer| answer.addresses.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Resolver> Resolver for Remembering<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let now = Instant::now();
        let found = uri.authority().and_then(|authority| {
            let found = literal(authority).map(|address| vec![address]);
            found.or_else(|| self.known.get(authority, now))
        });
        if let Some(found) = found {
            let mut addresses = self.empty();
            found.into_iter().for_each(|address| addresses.push(address));
            return Ok(addresses);
        }
        let addresses = self.system.resolve(uri, config, timeout)?;
        if let Some(authority) = uri.authority() {
            *self.known.lock() = Some(Answer {
                authority: authority.clone(),
                addresses: addresses.to_vec(),
                until: now + KEPT,
            });
        }
        Ok(addresses)
    }
}

/// The address that a host is, if it is one and not a name.
fn literal(authority: &Authority) -> Option<SocketAddr> {
    let host = authority.host();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Some(SocketAddr::new(bare.parse::<IpAddr>().ok()?, authority.port_u16()?))
}

/// How long an answer is kept: short beside the time that a change of a name takes to get around.
const KEPT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU16, Ordering};

    use super::*;

    /// Answers each question with another port.
    #[derive(Debug, Default)]
    struct Asked(AtomicU16);

    impl Resolver for Asked {
        fn resolve(
            &self,
            _: &Uri,
            _: &Config,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let mut addresses = self.empty();
            let port = self.0.fetch_add(1, Ordering::SeqCst);
            addresses.push(SocketAddr::from(([10, 0, 0, 1], port)));
            Ok(addresses)
        }
    }

    fn ask(resolver: &Remembering<Asked>, uri: &str) -> String {
        let config = Config::default();
        let found = resolver.resolve(&uri.parse().unwrap(), &config, NextTimeout::default());
        found.unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nobody_is_asked_for_an_address() {
        let resolver = Remembering::default();
        assert_eq!(ask(&resolver, "http://127.0.0.1:81/a"), "127.0.0.1:81");
        assert_eq!(ask(&resolver, "https://[::1]:82/a?b"), "[::1]:82");
        assert_eq!(resolver.system.0.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_name_is_asked_for_once_until_a_request_fails() {
        let resolver = Remembering::default();
        let known = resolver.known();
        assert_eq!(ask(&resolver, "http://a:1/x"), "10.0.0.1:0");
        assert_eq!(ask(&resolver, "http://a:1/y"), "10.0.0.1:0");
        known.forget();
        assert_eq!(ask(&resolver, "http://a:1/x"), "10.0.0.1:1");
        assert_eq!(ask(&resolver, "http://b:1/x"), "10.0.0.1:2", "another host");
        let later = Instant::now() + KEPT;
        let authority = Authority::from_static("b:1");
        assert!(known.get(&authority, later - KEPT).is_some());
        assert!(known.get(&authority, later).is_none(), "an answer gets old");
    }
}
