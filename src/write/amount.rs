//! How much of something there is.

/// A number of lines, and their size.
///
/// ```
/// # let options = influxdb3_blocking::WriteOptions::default().max_retries(0);
/// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").write_options(options).build()?;
/// client.write(["home temp=21.5 1", "home temp=22.0 2"]).send()?;
/// let accepted = client.write_stats().accepted;
/// assert_eq!((accepted.lines, accepted.bytes), (2, 34));
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Amount {
    /// How many lines.
    pub lines: u64,
    /// How many bytes of line protocol, newlines included.
    pub bytes: u64,
}

impl Amount {
    pub(crate) fn new(lines: usize, bytes: usize) -> Self {
        Self { lines: lines as u64, bytes: bytes as u64 }
    }
}

impl std::ops::AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.bytes += other.bytes;
    }
}
