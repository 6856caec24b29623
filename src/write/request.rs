use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::answer::Api;
use super::batching::{Batching, CallLines};
use super::sync;
use super::target::Target;
use super::writer::Writer;
use crate::config::Headers;
use crate::record::{Lines, Stamped};
use crate::{Error, Precision, Record, Result};

/// A write that is being put together; [`send`](Self::send) carries it out.
///
/// Made by [`Client::write`](crate::Client::write). What is not set here is as the client has it.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// use std::time::Duration;
///
/// use influxdb3_blocking::Precision;
///
/// client
///     .write("home temp=21.5 1641024000")
///     .database("other")
///     .precision(Precision::Second)
///     .use_v2_api(false)
///     .timeout(Duration::from_secs(5))
///     .send()?;
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[must_use = "nothing is written until `send` is called"]
pub struct WriteRequest<'a, R, K = crate::One> {
    writer: &'a Writer,
    record: R,
    /// None if it says nothing else.
    overrides: Option<Box<Overrides>>,
    kind: PhantomData<fn() -> K>,
}

/// The settings of a request that replace those of its client.
#[derive(Debug, Default)]
struct Overrides {
    database: Option<Arc<str>>,
    organization: Option<Arc<str>>,
    precision: Option<Precision>,
    use_v2_api: Option<bool>,
    no_sync: Option<bool>,
    accept_partial: Option<bool>,
    headers: Headers,
    timeout: Option<Duration>,
    problem: Option<String>,
}

impl<'a, R: Record<K>, K> WriteRequest<'a, R, K> {
    pub(crate) fn new(writer: &'a Writer, record: R) -> Self {
        Self { writer, record, overrides: None, kind: PhantomData }
    }

    /// The database to write to. Blanks and newlines around the name are left out.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// let request = client.write("login,user=eve n=1i").database("audit");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn database(mut self, database: impl AsRef<str>) -> Self {
        self.overrides().database = Some(Arc::from(database.as_ref().trim()));
        self
    }

    /// The organization, which only `/api/v2/write` of some products wants.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// let request = client.write("home temp=21.5").organization("lab");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn organization(mut self, organization: impl AsRef<str>) -> Self {
        self.overrides().organization = Some(Arc::from(organization.as_ref()));
        self
    }

    /// The precision to write timestamps in.
    ///
    /// Points are converted to it, rounding down. Timestamps in text are taken to be in it already.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// use influxdb3_blocking::Precision;
    ///
    /// let text = "home temp=21.5 1641024000";
    /// let request = client.write(text).precision(Precision::Second);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn precision(mut self, precision: Precision) -> Self {
        self.overrides().precision = Some(precision);
        self
    }

    /// Writes to `/api/v2/write` (true) or `/api/v3/write_lp` (false);
    /// see [`ClientBuilder::use_v2_api`](crate::ClientBuilder::use_v2_api).
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// // Where lines may be bad, to be told which ones are.
    /// let request = client.write("home temp=21.5").use_v2_api(false);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn use_v2_api(mut self, v2: bool) -> Self {
        self.overrides().use_v2_api = Some(v2);
        self
    }

    /// Lets the server answer before the write is durable. Needs `use_v2_api(false)`.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// let request = client.write("home temp=21.5");
    /// let fast = request.use_v2_api(false).no_sync(true);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn no_sync(mut self, no_sync: bool) -> Self {
        self.overrides().no_sync = Some(no_sync);
        self
    }

    /// Stores the good lines of a request that has bad ones. Matters with `use_v2_api(false)` only.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// // Both lines are stored, or neither is.
    /// let request = client.write(["from balance=-5i", "to balance=5i"]);
    /// let request = request.use_v2_api(false).accept_partial(false);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn accept_partial(mut self, accept: bool) -> Self {
        self.overrides().accept_partial = Some(accept);
        self
    }

    /// A header of this request, in place of the client's header of that name.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// let request = client.write("home temp=21.5");
    /// let request = request.header("x-trace", "17");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let overrides = self.overrides();
        if let Err(problem) = overrides.headers.set_for_write(name.as_ref(), value.as_ref()) {
            overrides.problem.get_or_insert(problem);
        }
        self
    }

    /// How long a request may take, in place of the client's
    /// [`write_timeout`](crate::ClientBuilder::write_timeout).
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// use std::time::Duration;
    ///
    /// let request = client.write("home temp=21.5");
    /// let request = request.timeout(Duration::from_secs(2));
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.overrides().timeout = Some(timeout);
        self
    }

    /// Writes the record.
    ///
    /// Everything is encoded before anything is sent. Where no line is left (an empty slice, a text of comments),
    /// nothing is sent. Points without fields are left out of collections; a single one is an error.
    ///
    /// Synchronously, which is the default, the lines are stored when this returns. A body over
    /// [`max_request_bytes`](crate::ClientBuilder::max_request_bytes) goes in several requests, cut at line
    /// boundaries, and so does one that the server, or a proxy in front of it, refuses as too large. In batching mode
    /// the lines are accepted when this returns, and [`flush`](crate::Client::flush) waits for them.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// match client.write("home temp=21.5").send() {
    ///     Ok(()) => {}
    ///     Err(error) => eprintln!("{} batches: {error}", error.unsent().len()),
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidRecord`](crate::ErrorKind::InvalidRecord) and
    ///   [`Config`](crate::ErrorKind::Config): nothing was sent.
    /// - [`Closed`](crate::ErrorKind::Closed): the lines are in [`unsent`](Error::unsent).
    ///
    /// Synchronously also
    /// - [`PartialWrite`](crate::ErrorKind::PartialWrite): the good lines are stored, and
    ///   [`line_errors`](Error::line_errors) names the others.
    /// - Anything else: [`lines_written`](Error::lines_written) says how many lines are stored, and
    ///   [`unsent`](Error::unsent) has the rest. [`in_doubt`](Error::in_doubt) says whether the first batch
    ///   of the rest may be stored all the same.
    ///
    /// In batching mode also
    /// - [`BufferFull`](crate::ErrorKind::BufferFull): what was not taken is in [`unsent`](Error::unsent).
    /// - Without an error callback, the failure of earlier batches: nothing of this call was taken, and
    ///   [`unsent`](Error::unsent) holds the lines that failed and those of the call.
    pub fn send(self) -> Result<()> {
        let Some(batching) = self.writer.batching() else {
            let target = Arc::new(self.target()?);
            return self.send_now(&target);
        };
        match batching.usual_target().filter(|usual| self.is_usual(usual)) {
            Some(usual) => self.send_batched(batching, usual),
            None => {
                let target = Arc::new(self.target()?);
                self.send_batched(batching, &target)
            }
        }
    }

    fn send_now(self, target: &Arc<Target>) -> Result<()> {
        let own_database = self.own_database(target);
        let mut buffer = Vec::new();
        let rules = self.writer.tag_rules();
        let mut lines = Lines::new(&mut buffer, target.precision, rules).of_database(own_database);
        self.record.encode(&mut lines)?;
        let (count, skipped, repeatable) = (lines.count(), lines.skipped(), lines.all_stamped());
        let map = lines.into_map();
        warn_of(skipped, count);
        let encoded = sync::EncodedLines { buffer, count, repeatable, map };
        if let Err(error) = self.writer.check_open() {
            return Err(error.with_rest(&[CallLines::new(target, &encoded.buffer, count)]));
        }
        let (http, config) = (self.writer.http(), self.writer.config());
        sync::send(http, config, target, encoded, &mut config.max_request_bytes.clone())
    }

    fn send_batched(self, batching: &dyn Batching, target: &Arc<Target>) -> Result<()> {
        let own_database = self.own_database(target);
        let mut scratch = Scratch::new();
        let Scratch { buffer, stamped } = &mut scratch;
        let rules = self.writer.tag_rules();
        let mut lines = Lines::new(buffer, target.precision, rules)
            .of_database(own_database)
            .stamping(&mut *stamped);
        self.record.encode(&mut lines)?;
        let (count, skipped) = (lines.count(), lines.skipped());
        warn_of(skipped, count + stamped.count);
        let own = CallLines::new(target, buffer, count);
        if stamped.count == 0 {
            let mut lines = [own];
            return batching.accept(&mut lines).map_err(|error| error.with_rest(&lines));
        }
        let fine = Arc::new(Target { precision: Precision::Nanosecond, ..Target::clone(target) });
        let mut lines = [own, CallLines::new(&fine, &stamped.buffer, stamped.count)];
        batching.accept(&mut lines).map_err(|error| error.with_rest(&lines))
    }

    fn overrides(&mut self) -> &mut Overrides {
        self.overrides.get_or_insert_default()
    }

    /// Where lines go unless the request says so itself: a record that has a database of its own, such as a batch, must
    /// not go elsewhere by accident.
    fn own_database<'t>(&self, target: &'t Target) -> Option<&'t str> {
        let is_chosen =
            self.overrides.as_ref().is_some_and(|overrides| overrides.database.is_some());
        (!is_chosen).then_some(&*target.database)
    }

    /// Whether the target is `usual`, the client's own.
    fn is_usual(&self, usual: &Target) -> bool {
        self.overrides.is_none()
            && self.record.precision().is_none_or(|precision| precision == usual.precision)
            && self.record.database().is_none()
            && self.record.organization().is_none()
    }

    /// The client's settings, the record's and the request's, the latter winning.
    pub(super) fn target(&self) -> Result<Target> {
        let none = Overrides::default();
        let overrides = self.overrides.as_deref().unwrap_or(&none);
        let Overrides { database, organization, precision, .. } = overrides;
        let config = self.writer.config();
        if let Some(problem) = &overrides.problem {
            return Err(Error::config(problem));
        }
        let precision = match (*precision, self.record.precision()) {
            (Some(chosen), Some(fixed)) if chosen != fixed => {
                return Err(Error::invalid_record(format!(
                    "the record's timestamps are in {fixed} and the request says {chosen}"
                )));
            }
            (Some(precision), _) | (None, Some(precision)) => precision,
            (None, None) => config.precision,
        };
        let database = match database.clone().or_else(|| self.record.database().map(Arc::from)) {
            Some(database) => database,
            None => config.database.clone().unwrap_or_default(),
        };
        if database.is_empty() {
            return Err(Error::config(
                "no database: call .database(…) on the client's builder or on the request, or set the variable INFLUX_DATABASE",
            ));
        }
        let organization =
            match organization.clone().or_else(|| self.record.organization().map(Arc::from)) {
                Some(organization) => organization,
                None => config.organization.clone(),
            };
        let api = if overrides.use_v2_api.unwrap_or(config.use_v2_api) { Api::V2 } else { Api::V3 };
        let no_sync = overrides.no_sync.unwrap_or(config.no_sync);
        if no_sync && api == Api::V2 {
            return Err(Error::config(
                "no_sync needs use_v2_api(false): /api/v2/write does not know it",
            ));
        }
        let timeout = overrides.timeout.unwrap_or(config.write_timeout);
        if timeout.is_zero() {
            return Err(Error::config("timeout is 0: nothing can be done in no time"));
        }
        Ok(Target {
            database,
            organization,
            precision,
            api,
            no_sync,
            accept_partial: overrides.accept_partial.unwrap_or(config.accept_partial),
            headers: overrides.headers.clone(),
            timeout,
        })
    }
}

impl<R, K> fmt::Debug for WriteRequest<'_, R, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteRequest").field("overrides", &self.overrides).finish_non_exhaustive()
    }
}

/// Where a call's lines are encoded: buffers that the thread keeps for the next call.
#[derive(Default)]
struct Scratch {
    buffer: Vec<u8>,
    stamped: Stamped,
}

thread_local! {
    static KEPT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Scratch {
    /// Takes the thread's buffer out, as a record may well write another one while it is encoded.
    fn new() -> Self {
        Self { buffer: KEPT.try_with(Cell::take).unwrap_or_default(), stamped: Stamped::default() }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        if buffer.capacity() <= MOST_KEPT {
            buffer.clear();
            // A thread that ends needs none.
            let _ = KEPT.try_with(|kept| kept.set(buffer));
        }
    }
}

fn warn_of(skipped: usize, count: usize) {
    if skipped > 0 {
        log::warn!("{skipped} points without fields were left out of a write of {count} lines");
    }
}

/// How many bytes a thread keeps.
const MOST_KEPT: usize = 256 << 10;
