//! What tests of the client share: servers that do as they are told.
#![allow(dead_code, unreachable_pub)] // each test file uses a part of it

#[cfg(feature = "query")]
pub mod batches;
pub mod batching;
#[cfg(feature = "query")]
pub mod flight;
#[cfg(feature = "query")]
pub mod frames;
pub mod home;
pub mod http;
pub mod logged;
pub mod own_process;
pub mod proxy;
pub mod raw;
#[cfg(feature = "tls")]
pub mod tls;

/// The recorded answers of a real server.
pub fn recorded(name: &str) -> Vec<serde_json::Value> {
    let path = format!("{}/tests/wire/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
