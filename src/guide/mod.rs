//! Guides: one page for each question that spans more than one item.
//!
//! They are documentation only, and so are there for rustdoc only.
//!
//! | page | what it answers |
//! |---|---|
//! | [`connecting`] | hosts, proxies, TLS, time limits |
//! | [`delivery`] | the outcome of a line, and when it is stored |
//! | [`errors`] | the kinds of errors, what is retried, and what to do |
//! | [`time`] | timestamps, precisions, zones, and rows of the same time |
//! | [`files`] | CSV, JSON, Parquet, Feather and ORC |
//! | [`from_python`] | the names of the Python client, and those of here |
//! | [`from_influxdb_1_and_2`] | what is different in InfluxDB 3 |
//! | [`embedding`] | in async programs, services, forks, and what threads there are |
//! | [`small_binaries`] | features, profiles, and what they cost |
//! | [`testing`] | the tests of a program of one's own, against a server in the process |
//! | [`fuzzing`] | the encoder's fuzz targets, and fuzzing a program of one's own |
//! | [`troubleshooting`] | messages, and what to do about them |
//! | [`design`] | how the crate is built and why |
//! | [`compare`] | the crate beside other clients |

#[doc = include_str!("../../COMPARE.md")]
pub mod compare {}

#[doc = include_str!("connecting.md")]
pub mod connecting {}

#[doc = include_str!("delivery.md")]
pub mod delivery {}

#[doc = include_str!("../../DESIGN.md")]
pub mod design {}

#[doc = include_str!("embedding.md")]
pub mod embedding {}

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("files.md")]
pub mod files {}

#[doc = include_str!("from_influxdb_1_and_2.md")]
pub mod from_influxdb_1_and_2 {}

#[doc = include_str!("from_python.md")]
pub mod from_python {}

#[doc = include_str!("fuzzing.md")]
pub mod fuzzing {}

#[doc = include_str!("small_binaries.md")]
pub mod small_binaries {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("time.md")]
pub mod time {}

#[doc = include_str!("troubleshooting.md")]
pub mod troubleshooting {}
