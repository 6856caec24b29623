//! A small InfluxDB 3 in the process, for tests and examples: HTTP and Flight on one port.
//!
//! It answers as release 3.6 of InfluxDB 3 Core does, or [as 3.12](DevServerBuilder::version), and it is made of the
//! same parts: InfluxData's
//! own parser reads the lines (`influxdb-line-protocol`), rows are kept in memory and shown as
//! Arrow, DataFusion answers the SQL, `arrow-flight` serves it. Nothing of it comes from the client
//! that it tests.
//!
//! ```
//! use influxdb3_dev_server::DevServer;
//!
//! let server = DevServer::start()?;   // a free port; gone when dropped
//! let url = server.url();             // what a client is to be told
//! // … write with the client under test …
//! assert_eq!(server.rows("sensors", "home"), 0);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! As a program: `cargo run -p influxdb3-dev-server -- --port 8181`.
//!
//! # What it claims
//! As 3.6: the same status and the same bytes as the recorded answers of a real server (`tests/wire`), for
//!
//! - `POST /api/v3/write_lp` and `POST /api/v2/write`: parameters, names, encodings, limits of
//!   size, partial writes, schema conflicts, timestamps;
//! - `GET` and `POST /ping` (but for revision and process id), `GET /health`, unknown paths and
//!   methods, `OPTIONS`;
//! - authentication by `Bearer`, `Token` and `Basic`, on both paths;
//! - Flight `DoGet` with a JSON ticket: SQL, its parameters, its errors; schema and values of
//!   `SELECT` from tables, the batches without rows that keep a slow answer alive, and InfluxQL's
//!   `SHOW MEASUREMENTS`;
//! - `GET` and `POST /api/v3/query_sql` and `/api/v3/query_influxql`: the same queries, as JSON, JSON
//!   lines, CSV, text or Parquet. Each answer is made as a whole before its head is sent; a real
//!   server does so for text and Parquet only.
//!
//! It can be made to fail as a real server does ([`Fault`]), to hold back a write ([`DevServer::hold_next_write`]), to let
//! its tokens expire ([`DevServer::issue_token_for`]), and to go away and come back ([`DevServer::stop`],
//! [`DevServer::resume`]). The texts of its failures are read in the source of release 3.10, not
//! recorded.
//!
//! # What it does not have
//! - `/write`, `/query`, `/api/v3/configure/…`, `/metrics`: 404, as any unknown path.
//! - InfluxQL but for the one statement, protobuf tickets, Flight SQL, prepared statements,
//!   `Handshake`: UNIMPLEMENTED or an invalid ticket.
//! - System tables, InfluxData's own SQL functions (`date_bin_gapfill`, `selector_first`, …), and
//!   DataFusion's functions on arrays, structs, mathematics, regular expressions and hashes.
//! - Durability: every write is in memory before it is answered, with `no_sync` and without. When a durable one is
//!   answered can be as in a real server ([`DevServerBuilder::wal_flush_interval`]).
//! - The limits on databases and on field families.
//!
//! # Where it differs on purpose
//! - A line with one tag twice is answered with 500 and stores nothing. A real server of 3.6 says 204 and
//!   is broken afterwards, see [`DevServerBuilder::panics_like_3_6`] for a milder case.
//! - `SELECT $a AS b` works, as DataFusion has repaired it since.
//! - DataFusion is a newer one, and so are some of its texts: "Did you mean" after an unknown
//!   column, for one. A result known to be empty has no metadata on its schema.
//! - A table whose lines were all refused has a `time` column and no rows; a real one answers
//!   queries on it with an error.
//! - The published parser has no limit on the length of texts; it is added here. Other than that no
//!   difference to the server's own copy is known.

mod builder;
mod clock;
mod fault;
mod flight;
mod held;
mod http;
mod lines;
mod listen;
mod precision;
mod release;
mod request;
mod server;
mod serving;
mod shared;
mod store;
mod tasks;
mod tls;
mod tokens;
mod uuid;
mod wal;

pub use self::{
    builder::DevServerBuilder, fault::Fault, held::HeldWrite, request::Request, server::DevServer,
};
