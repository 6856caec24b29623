//! Configuration, TLS, proxies, and the places where a client can be used.
#![cfg(feature = "write")]

mod async_context;
mod clear_errors;
mod config;
mod connecting;
mod databases;
mod health;
mod hosts;
mod messages;
mod proxy;
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod tokens;
