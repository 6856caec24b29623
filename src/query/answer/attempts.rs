use std::time::{Duration, Instant};

use super::retries::Retries;
use crate::config::CallToken;
use crate::query::call::{Call, CallStage};
use crate::query::client::QueryClient;
use crate::transport::{Failover, Limit};
use crate::{Error, Result};

/// The tries of one query, with the hosts, tokens and retries that are left, until one succeeds or nothing is left. No
/// batch may have been handed out before another try: its rows would be handed out twice.
pub(super) struct Attempts {
    tour: Failover,
    token: CallToken,
    retries: Retries,
    /// The most time for a connection, and for getting a token.
    connect_timeout: Duration,
}

impl Attempts {
    /// # Errors
    ///
    /// There is no host for queries.
    pub(super) fn new(client: &QueryClient, call: &Call, retries: Retries) -> Result<Self> {
        let config = client.config();
        let tour = client.hosts().failover(Instant::now()).ok_or_else(no_host)?;
        let token = CallToken::new(&config.tokens, &config.headers.with(&call.headers));
        Ok(Self { tour, token, retries, connect_timeout: config.connect_timeout })
    }

    /// The place of the host that is to be asked now; its token and its time for connecting are in the call then. Waits for
    /// the token, on this thread.
    ///
    /// # Errors
    ///
    /// There is no token.
    pub(super) fn prepare(&mut self, call: &mut Call, deadline: Option<Instant>) -> Result<usize> {
        let time = self.time(deadline);
        call.token = self.token.get(time)?.map(|issued| issued.token().clone());
        call.connect_limit = self.connect_limit(call.begin, deadline);
        Ok(self.tour.place())
    }

    /// To be called when the server has begun to answer: then its host works, and it has accepted the token.
    pub(super) fn answered(&self) {
        self.token.accepted();
        self.tour.works();
    }

    /// Decides on another try after this error: with another token, at another host, or later, which it sets in `call`.
    ///
    /// # Errors
    ///
    /// There is no other try: the error of the query.
    pub(super) fn again(
        &mut self,
        client: &QueryClient,
        call: &mut Call,
        error: Error,
        deadline: Option<Instant>,
    ) -> Result<()> {
        let time = self.time(deadline);
        let Err(error) = self.token.renew(error, time) else { return Ok(()) };
        // A host may have run the query all the same; that it runs once more changes nothing.
        let is_repeatable = true;
        let now = Instant::now();
        let Err(error) = self.tour.go_on(error, is_repeatable, !time.is_zero(), now) else {
            return Ok(());
        };
        let Some(begin) = self.retries.next(&error, deadline) else { return Err(error) };
        log::debug!("the query is sent once more, as was asked for ({error})");
        call.begin = Some(begin);
        self.tour = client.hosts().failover(now).ok_or_else(no_host)?;
        Ok(())
    }

    /// The error of a query whose time is up. If it was still connecting then, later ones know of that host.
    pub(super) fn timed_out(&mut self, call: &Call, error: Error) -> Error {
        match call.stage.get() {
            CallStage::Connecting => self.tour.end(error.with_host_failure(true), Instant::now()),
            _ => error,
        }
    }

    /// A host that is not there leaves time for the others: each that is left has an equal share. The last one has all of it,
    /// which ends with the query.
    fn connect_limit(&self, begin: Option<Instant>, deadline: Option<Instant>) -> Option<Limit> {
        let hosts = self.tour.left();
        if hosts == 1 {
            return None;
        }
        let now = Instant::now();
        let begin = begin.map_or(now, |begin| begin.max(now));
        let time = deadline?.saturating_duration_since(begin) / hosts;
        Some(Limit { time, setting: "its share of query_timeout" })
    }

    /// The time for getting a token, up to the deadline.
    fn time(&self, deadline: Option<Instant>) -> Duration {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        left.map_or(self.connect_timeout, |left| left.min(self.connect_timeout))
    }
}

fn no_host() -> Error {
    Error::config("there is no host for queries: set .query_host(…) or .host(…)")
}
