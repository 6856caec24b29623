//! The derive macro of `influxdb3-blocking`, which re-exports it with its feature `derive`.

#![forbid(unsafe_code)]

mod attributes;
mod columns;
mod expand;
mod names;

use proc_macro::TokenStream;

/// Makes a struct a record: each value of it is a line, and so is each reference to one.
///
/// ```ignore
/// use influxdb3_blocking::{Client, Record, Timestamp};
///
/// #[derive(Record)]
/// #[influx(measurement = "home")]
/// struct Reading {
///     #[influx(tag)]
///     room: String,
///     #[influx(tag)]
///     floor: Option<u8>,
///     temp: f64,
///     #[influx(rename = "humidity")]
///     hum: Option<f64>,
///     #[influx(skip)]
///     raw: Vec<u8>,
///     #[influx(time)]
///     at: Timestamp,
/// }
///
/// let readings: Vec<Reading> = read();
/// client.write(&readings).send()?;
/// ```
///
/// Names are checked where the macro is used: a name that cannot be written, two columns of one name, and a struct
/// without a field are errors of the compiler.
///
/// # On the struct
///
/// | attribute | what it says |
/// |---|---|
/// | `measurement = "…"` | the measurement of all records; without it, it is the struct's name in snake case, `home_reading` of `HomeReading` |
/// | `crate = path` | where `influxdb3_blocking` is, if it goes by another name |
///
/// # On a field of the struct
///
/// | attribute | what it says |
/// |---|---|
/// | none, or `field` | a field: everything that the crate's `FieldValue` is made `From` a reference of: numbers, booleans, texts, times (as text); `None` is left out |
/// | `tag` | a tag: a text (`AsRef<str>`), an integer, a boolean or a `char`; `None` and an empty text are left out |
/// | `tag, display` | a tag with the text that `Display` gives |
/// | `time` | the time of the record: everything that a `Timestamp` is made `From`; with `None` the record has no time |
/// | `time, unit = "s"` | the same, of an integer of up to 64 bits in this unit: `s`, `ms`, `us` or `ns` |
/// | `measurement` | the measurement of this record, a text; then the struct names none |
/// | `rename = "…"` | the name of the tag or the field, in place of that in Rust |
/// | `skip` | not written |
#[proc_macro_derive(Record, attributes(influx))]
pub fn derive_record(input: TokenStream) -> TokenStream {
    expand::record(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
