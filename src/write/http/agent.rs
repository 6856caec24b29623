//! Builds the ureq agent from a client's settings.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;

use super::connect::{Connector, NoResolver};
use crate::config::{Config, USER_AGENT};
use crate::transport::Host;

/// An agent for one host that keeps up to `connections` idle connections.
pub(super) fn new(config: &Config, host: Arc<Host>, connections: usize) -> Agent {
    let settings = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(USER_AGENT)
        .accept("application/json")
        .accept_encoding("")
        .max_idle_connections(connections)
        .max_idle_connections_per_host(connections)
        .timeout_await_100(Some(Duration::from_secs(1)))
        // The connector goes through it, in place of ureq.
        .proxy(None);
    Agent::with_parts(settings.build(), Connector::new(config, host), NoResolver)
}
