#![doc = include_str!("../README.md")]
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
//!   `SELECT` from tables, and the batches without rows that keep a slow answer alive;
//! - InfluxQL over both: the schema, its metadata and the values of `SELECT` of fields, with and without parameters, of an
//!   aggregate by tags, of a measurement that is not there, of `SHOW MEASUREMENTS` and of `SHOW TAG VALUES`; the error of a
//!   text that is no statement;
//! - `GET` and `POST /api/v3/query_sql` and `/api/v3/query_influxql`: the same queries, as JSON, JSON
//!   lines, CSV, text or Parquet. Each answer is made as a whole before its head is sent; a real
//!   server does so for text and Parquet only.
//!
//! Of 3.12 it has what [`version`](DevServerBuilder::version) lists. It can be made to fail as a real server does
//! ([`Fault`]); the texts of these failures are read in the source of release 3.10, not recorded.
//!
//! # InfluxQL
//! ```text
//! SELECT columns FROM measurement [WHERE condition]
//!     [GROUP BY [time(span[, offset])][, tags or *] [FILL(none|null|previous|number)]]
//!     [ORDER BY time [ASC|DESC]] [LIMIT n] [OFFSET n]
//! SHOW MEASUREMENTS
//! SHOW TAG KEYS | SHOW FIELD KEYS [FROM measurements]
//! SHOW TAG VALUES [FROM measurements] WITH KEY = tag | IN (tags) [WHERE condition]
//! ```
//!
//! Columns are `*`, fields and tags with `AS`, and `COUNT`, `FIRST`, `LAST`, `MAX`, `MEAN`, `MIN`, `SPREAD`, `STDDEV` and
//! `SUM` of a field or of `*`. Conditions compare a column with a value, or the time with dates, numbers, durations and
//! `now()`; `=~` and `!~` take regular expressions; `AND`, `OR` and parentheses join them. Parameters stand for values.
//! `SHOW` takes `LIMIT` and `OFFSET` as well, and `SHOW TAG VALUES` shows those of the last day if no time is asked for.
//!
//! What is neither recorded nor in this list is read in the source of InfluxData's planner, or compared with InfluxDB 1
//! (`tests/interop`). Calculations, other functions, functions of functions, subqueries, several measurements, `INTO`,
//! `SLIMIT`, `TZ`, types behind `::`, `FILL(linear)` and `EXPLAIN` are refused with UNIMPLEMENTED and a text that says that
//! the dev server does not support them.
//!
//! # What it does not have
//! - `/write`, `/query`, `/api/v3/configure/…`, `/metrics`: 404, as any unknown path.
//! - Protobuf tickets, Flight SQL, prepared statements, `Handshake`: UNIMPLEMENTED or an invalid ticket.
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
//!
//! # Features
//! `query`, on by default: SQL and InfluxQL. Without it queries are answered with 501 over HTTP and UNIMPLEMENTED over
//! Flight, and DataFusion, Arrow and Parquet are not built.

mod answers;
mod builder;
mod clock;
mod fault;
#[cfg(feature = "query")]
mod flight;
mod held;
mod http;
#[cfg(feature = "query")]
mod influxql;
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
    answers::Answer, builder::DevServerBuilder, fault::Fault, held::HeldWrite, request::Request,
    server::DevServer,
};
