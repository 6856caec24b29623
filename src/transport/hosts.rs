//! Several servers in place of one: which is next, and the failures of those before it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use log::Level;

use super::Host;
use super::host_state::HostState;
use crate::{Error, Result};

/// The servers that a client writes to, or those that it queries, and what is known of each.
///
/// The first one that works is used: order is preference. One that has failed is skipped for a while, twice as long
/// each time, and then tried by a single call; if all have failed, each call tries all of them. Calls that were under
/// way together and all failed are one failure.
#[derive(Debug)]
pub(crate) struct Hosts {
    list: Vec<Arc<Host>>,
    states: Mutex<Vec<HostState>>,
}

/// The hosts of one call: the one that it asks now, those that are next, and those that have failed.
#[derive(Debug)]
pub(crate) struct Failover {
    hosts: Arc<Hosts>,
    place: usize,
    /// Since when it asks the one at `place`.
    began: Instant,
    next: VecDeque<usize>,
    failed: Vec<(usize, Error)>,
}

impl Hosts {
    pub(crate) fn new(list: Vec<Arc<Host>>) -> Arc<Self> {
        let states = Mutex::new(vec![HostState::default(); list.len()]);
        Arc::new(Self { list, states })
    }

    pub(crate) fn list(&self) -> &[Arc<Host>] {
        &self.list
    }

    /// The hosts for a call that begins now, in the order in which it asks them; none if there is no host.
    pub(crate) fn failover(self: &Arc<Self>, now: Instant) -> Option<Failover> {
        let mut next = match self.list.len() {
            1 => VecDeque::from([0]),
            _ => self.order(now),
        };
        let place = next.pop_front()?;
        let hosts = Arc::clone(self);
        Some(Failover { hosts, place, began: now, next, failed: Vec::new() })
    }

    /// Those that may be tried now, in the order of the list; then the others, by the time from which they may be
    /// tried.
    fn order(&self, now: Instant) -> VecDeque<usize> {
        let mut states = self.lock();
        let mut order: Vec<_> = (0..states.len()).collect();
        // The sort is stable: hosts of equal times stay in the order of the list.
        order.sort_by_key(|place| states[*place].skipped_until(now));
        if let Some(first) = order.first() {
            states[*first].note_try(now);
        }
        order.into()
    }

    fn note_works(&self, place: usize) {
        let mut states = self.lock();
        let before = std::mem::take(&mut states[place]);
        drop(states);
        if !before.works() {
            log::info!("{} works again", self.list[place]);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<HostState>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failover {
    /// The place in the list of the host whose turn it is.
    pub(crate) fn place(&self) -> usize {
        self.place
    }

    pub(crate) fn host(&self) -> &Arc<Host> {
        &self.hosts.list[self.place]
    }

    /// How many hosts there are still, the one whose turn it is among them.
    pub(crate) fn left(&self) -> u32 {
        u32::try_from(self.next.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Notes that the host has succeeded.
    pub(crate) fn works(&self) {
        if self.hosts.list.len() > 1 {
            self.hosts.note_works(self.place);
        }
    }

    /// Goes on to the next host after this error, if it is the host's and `may_go_on` says that there is time.
    ///
    /// A request that the failed host may have carried out is sent to another one only if it is `repeatable`. It is not
    /// sent to a third host if two have closed the connection without an answer: the request may be what breaks them.
    ///
    /// # Errors
    /// The error of the call, with the hosts that were tried and why each of them failed.
    pub(crate) fn go_on(
        &mut self,
        error: Error,
        repeatable: bool,
        may_go_on: bool,
        now: Instant,
    ) -> Result<()> {
        if self.hosts.list.len() == 1 {
            return Err(error);
        }
        if !error.is_host_failure() {
            // If it has answered. The end of the call's own time says nothing of the host.
            if error.status().is_some() || error.grpc_status().is_some() {
                self.hosts.note_works(self.place);
            }
            return Err(self.explain(error));
        }
        let worked = self.note_failed(now, &error);
        let was_cut_before = self.failed.iter().any(|(_, error)| error.was_cut());
        let (in_doubt, is_poison) = (error.in_doubt(), error.was_cut() && was_cut_before);
        let stop = match () {
            () if !repeatable && in_doubt => Some("as what was sent may be stored already"),
            () if is_poison => Some("as two servers broke on it"),
            () if !may_go_on => Some("as the time is up"),
            () => None,
        };
        match (stop, self.next.front()) {
            (None, Some(&next)) => {
                let list = &self.hosts.list;
                // A host that has just begun to fail is worth a warning, one that fails on is not.
                let level = if worked { Level::Warn } else { Level::Debug };
                log::log!(level, "{} failed, {} is next: {error}", list[self.place], list[next]);
                self.failed.push((self.place, error));
                self.place = next;
                self.began = now;
                self.next.pop_front();
                Ok(())
            }
            (stop, _) => Err(self.give_up(error, stop)),
        }
    }

    /// The error of a call whose time was over while it waited for the host.
    #[cfg(feature = "query")]
    pub(crate) fn end(&mut self, error: Error, now: Instant) -> Error {
        if self.hosts.list.len() == 1 {
            return error;
        }
        self.note_failed(now, &error);
        self.give_up(error, Some("as the time is up"))
    }

    /// Says whether the host worked before.
    fn note_failed(&self, now: Instant, error: &Error) -> bool {
        self.hosts.lock()[self.place].note_failed(self.began, now, error.message())
    }

    /// The error of a host that works, after those that do not.
    fn explain(&self, error: Error) -> Error {
        let mut text = self.named(self.place, error.message());
        if !self.failed.is_empty() {
            text = format!("{text} (asked in place of {})", self.list_failed());
        }
        let in_doubt = self.failed.iter().any(|(_, error)| error.in_doubt());
        let mut error = error.with_message(text);
        error.add_doubt(in_doubt);
        error
    }

    /// The error of the last host, with those of the others.
    fn give_up(&mut self, error: Error, stop: Option<&str>) -> Error {
        let total = self.hosts.list.len();
        self.failed.push((self.place, error.duplicate()));
        let mut text = match self.failed.len() {
            1 => self.list_failed(),
            tried if tried == total => format!("all {total} hosts failed: {}", self.list_failed()),
            tried => format!("{tried} of {total} hosts failed: {}", self.list_failed()),
        };
        if let Some(stop) = stop.filter(|_| !self.next.is_empty()) {
            text = format!("{text}; not tried, {stop}: {}", self.list_untried());
        }
        let any = |is: fn(&Error) -> bool| self.failed.iter().any(|(_, error)| is(error));
        let waits: Option<Vec<_>> =
            self.failed.iter().map(|(_, error)| error.retry_after()).collect();
        let mut error = error
            .with_message(text)
            .with_retryable(any(Error::is_retryable))
            .with_was_cut(any(Error::was_cut))
            // Retried as soon as the first of them may be asked again.
            .with_retry_after(waits.and_then(|waits| waits.into_iter().min()));
        error.add_doubt(any(Error::in_doubt));
        error
    }

    fn list_failed(&self) -> String {
        let failed = self.failed.iter().map(|(place, error)| self.named(*place, error.message()));
        failed.collect::<Vec<_>>().join("; ")
    }

    fn list_untried(&self) -> String {
        let states = self.hosts.lock();
        let untried = self.next.iter().map(|&place| {
            let (host, state) = (&self.hosts.list[place], &states[place]);
            match state.works() {
                true => host.to_string(),
                false => format!("{host} (it failed before: {})", state.why()),
            }
        });
        untried.collect::<Vec<_>>().join(", ")
    }

    /// A text that names the host.
    fn named(&self, place: usize, text: &str) -> String {
        let host = self.hosts.list[place].to_string();
        if text.contains(&host) { text.to_owned() } else { format!("{host}: {text}") }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ErrorKind;
    use crate::transport::Endpoint;

    fn hosts(names: &[&str]) -> Arc<Hosts> {
        let host = |name: &&str| Host { endpoint: Endpoint::parse(name).unwrap(), proxy: None };
        Hosts::new(names.iter().map(host).map(Arc::new).collect())
    }

    fn down() -> Error {
        Error::new(ErrorKind::Connect, "down").with_host_failure(true).with_retryable(true)
    }

    fn in_doubt() -> Error {
        down().with_in_doubt(true)
    }

    fn cut() -> Error {
        in_doubt().with_was_cut(true)
    }

    /// The places of the hosts that a call tries, all of which fail.
    fn places(hosts: &Arc<Hosts>, now: Instant) -> Vec<usize> {
        let mut failover = hosts.failover(now).unwrap();
        let mut places = vec![failover.place()];
        while failover.go_on(down(), false, true, now).is_ok() {
            places.push(failover.place());
        }
        places
    }

    #[test]
    fn a_host_that_failed_is_skipped_for_a_while_and_then_tried_by_one_call() {
        let hosts = hosts(&["http://a", "http://b"]);
        let start = Instant::now();
        let mut failover = hosts.failover(start).unwrap();
        assert_eq!(failover.place(), 0);
        failover.go_on(down(), false, true, start).unwrap();
        failover.works();
        let at = |millis| hosts.failover(start + Duration::from_millis(millis)).unwrap();
        assert_eq!(at(999).place(), 1);
        let trying = at(1000);
        assert_eq!(trying.place(), 0);
        assert_eq!(at(1001).place(), 1, "one call tries it");
        trying.works();
        assert_eq!(at(1002).place(), 0, "it is preferred");
    }

    #[test]
    fn calls_that_fail_together_tell_of_one_outage() {
        let hosts = hosts(&["http://a", "http://b"]);
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let fail = |mut call: Failover, now| call.go_on(down(), true, true, now).unwrap();
        let mut calls: Vec<_> = (0..8).map(|_| hosts.failover(start).unwrap()).collect();
        let late = calls.pop().unwrap();
        calls.into_iter().for_each(|call| fail(call, at(10)));
        fail(late, at(500));
        assert_eq!(hosts.failover(at(1009)).unwrap().place(), 1);
        let trying = hosts.failover(at(1010)).unwrap();
        assert_eq!(trying.place(), 0);
        // A call that began after that is another matter.
        fail(trying, at(1020));
        assert_eq!(hosts.failover(at(3019)).unwrap().place(), 1);
        assert_eq!(hosts.failover(at(3020)).unwrap().place(), 0);
    }

    #[test]
    fn if_all_have_failed_each_call_tries_all_of_them() {
        let hosts = hosts(&["http://a", "http://b", "http://c"]);
        let start = Instant::now();
        assert_eq!(places(&hosts, start), [0, 1, 2]);
        for _ in 0..3 {
            let mut again = places(&hosts, start + Duration::from_millis(10));
            again.sort_unstable();
            assert_eq!(again, [0, 1, 2]);
        }
    }

    #[test]
    fn a_host_works_if_it_has_answered_and_not_if_it_has_said_nothing() {
        let start = Instant::now();
        let silent = Error::new(ErrorKind::Timeout, "");
        let refused = Error::new(ErrorKind::Query, "").with_status(400);
        for (error, next) in [(silent, 1), (refused, 0)] {
            let hosts = hosts(&["http://a", "http://b"]);
            let at = |millis| hosts.failover(start + Duration::from_millis(millis)).unwrap();
            at(0).go_on(down(), true, true, start).unwrap();
            let mut trying = at(1000);
            assert_eq!(trying.place(), 0);
            trying.go_on(error, true, true, start + Duration::from_secs(1)).unwrap_err();
            assert_eq!(at(1001).place(), next);
        }
    }

    #[test]
    fn what_may_be_stored_goes_to_no_second_host_unless_it_may_be_stored_twice() {
        let hosts = hosts(&["http://a", "http://b", "http://c"]);
        let now = Instant::now();
        let mut failover = hosts.failover(now).unwrap();
        let error = failover.go_on(in_doubt(), false, true, now).unwrap_err();
        assert!(error.in_doubt() && error.is_retryable());
        assert_eq!(
            error.to_string(),
            "http://a:80: down; not tried, as what was sent may be stored already: http://b:80, http://c:80"
        );
        let mut failover = hosts.failover(now).unwrap();
        failover.go_on(in_doubt(), true, true, now).unwrap();
        // The doubt stays, whatever the others say.
        let error = failover.go_on(down(), true, false, now).unwrap_err();
        assert!(error.in_doubt(), "{error}");
    }

    #[test]
    fn what_breaks_two_hosts_is_not_given_to_a_third() {
        let hosts = hosts(&["http://a", "http://b", "http://c"]);
        let now = Instant::now();
        let mut failover = hosts.failover(now).unwrap();
        failover.go_on(cut(), true, true, now).unwrap();
        let error = failover.go_on(cut(), true, true, now).unwrap_err();
        assert!(
            error.was_cut() && error.to_string().contains("as two servers broke on it"),
            "{error}"
        );
    }

    #[test]
    fn an_error_that_is_not_the_hosts_names_what_was_tried_before() {
        let hosts = hosts(&["http://a", "http://b"]);
        let now = Instant::now();
        let mut failover = hosts.failover(now).unwrap();
        failover.go_on(down(), false, true, now).unwrap();
        let bad = Error::new(ErrorKind::Rejected, "bad");
        let error = failover.go_on(bad, false, true, now).unwrap_err();
        assert_eq!(error.to_string(), "http://b:80: bad (asked in place of http://a:80: down)");
        assert!(!error.is_retryable());
    }

    #[test]
    fn one_host_is_told_of_as_before() {
        let hosts = hosts(&["http://a"]);
        let now = Instant::now();
        for _ in 0..3 {
            let mut failover = hosts.failover(now).unwrap();
            assert_eq!(failover.left(), 1);
            assert_eq!(failover.go_on(down(), true, true, now).unwrap_err().to_string(), "down");
        }
        assert!(Hosts::new(Vec::new()).failover(now).is_none());
    }
}
