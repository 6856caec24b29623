//! What a program of the model does with its clients.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use influxdb3_blocking::{
    Batch, Client, Error, ErrorKind, OnFull, ThreadPoolScheduler, WeakClient, WriteOptions,
};

use super::account::{Account, End};
use crate::random::Random;
use crate::support::batching::{assert_adds_up, points};

/// A client, and what it tells.
pub(crate) struct Actor {
    pub(crate) client: Client,
    pub(crate) database: String,
    pub(crate) account: Arc<Account>,
    /// Whether it is dropped in the end rather than closed, when nobody can be told but its error callback.
    pub(crate) is_dropped: bool,
    /// Whether its callbacks use it.
    pub(crate) is_reentrant: bool,
}

/// What the callbacks of a client need to use it.
struct Inside {
    database: String,
    account: Arc<Account>,
    client: OnceLock<WeakClient>,
    random: Mutex<Random>,
    /// How many more times they use the client.
    budget: AtomicUsize,
    /// What a close that a callback begins leaves comes back from the next one, so there has to be one.
    may_close: bool,
}

impl Actor {
    /// A client of the server at `url`, or one over the connections of `sibling`.
    pub(crate) fn new(
        url: &str,
        database: String,
        is_hasty: bool,
        scheduler: Option<&ThreadPoolScheduler>,
        sibling: Option<&Client>,
        random: &mut Random,
    ) -> Self {
        let account = Arc::new(Account::new(random.one_in(2)));
        let is_dropped = account.has_error_callback() && random.one_in(3);
        let is_reentrant = random.one_in(3);
        let inside = Arc::new(Inside {
            database: database.clone(),
            account: account.clone(),
            client: OnceLock::new(),
            random: Mutex::new(Random::new(random.number())),
            budget: AtomicUsize::new(if is_reentrant { 8 } else { 0 }),
            may_close: !is_dropped,
        });
        let mut options = options(random, scheduler);
        if is_reentrant {
            // What a callback throws away is counted and told to nobody.
            options = options.on_full(random.pick(&[OnFull::Block, OnFull::Error]));
        }
        let options = with_callbacks(options, &inside, random);
        let client = match sibling {
            Some(sibling) => sibling.with_write_options(options).unwrap(),
            None => {
                let builder = Client::builder()
                    .host(url)
                    .database("usual")
                    .write_timeout(Duration::from_millis(if is_hasty { 20 } else { 30_000 }))
                    .write_options(options);
                #[cfg(feature = "gzip")]
                let builder = match random.one_in(3) {
                    true => builder.gzip_threshold(50),
                    false => builder,
                };
                builder.build().unwrap()
            }
        };
        assert!(inside.client.set(client.downgrade()).is_ok());
        Self { client, database, account, is_dropped, is_reentrant }
    }

    /// Another handle of the same client.
    pub(crate) fn handle(&self) -> Self {
        Self {
            client: self.client.clone(),
            database: self.database.clone(),
            account: self.account.clone(),
            is_dropped: self.is_dropped,
            is_reentrant: self.is_reentrant,
        }
    }

    pub(crate) fn act(&self, random: &mut Random) {
        let client = &self.client;
        match random.below(13) {
            0 => self.tell(&NONE, client.flush()),
            1 => assert_adds_up(client),
            2 if random.one_in(8) => self.tell(&NONE, client.close()),
            3 => drop(client.clone()),
            4 if random.one_in(2) => self.write_file(random),
            _ => {
                let most = random.pick(&[1, 1, 1, 3, 3, 20, 150]);
                let own = self.account.numbers(1 + random.below(most) as i64);
                write(client, &self.database, &self.account, own, random.one_in(2));
            }
        }
    }

    #[cfg(feature = "csv")]
    fn write_file(&self, random: &mut Random) {
        let own = self.account.numbers_of_file(1 + random.below(60) as i64);
        let rows: String = own.clone().map(|number| format!("{number},{number}\n")).collect();
        let file = Scratch::new(&format!("time,f\n{rows}"));
        let file = self
            .client
            .write_file(&file.0)
            .measurement("m")
            .database(&self.database)
            .use_v2_api(random.one_in(2));
        match file.send() {
            Ok(report) => {
                assert_eq!(report.lines as i64, own.end - own.start);
                self.account.assert_written(own);
            }
            Err(error) => {
                assert_known(&error);
                self.account.tell_error(&own, &error);
            }
        }
    }

    #[cfg(not(feature = "csv"))]
    fn write_file(&self, _: &mut Random) {}

    fn tell(&self, own: &std::ops::Range<i64>, result: Result<(), Error>) {
        if let Err(error) = result {
            self.account.tell_error(own, &error);
        }
    }
}

const NONE: std::ops::Range<i64> = 0..0;

fn write(
    client: &Client,
    database: &str,
    account: &Account,
    own: std::ops::Range<i64>,
    is_v2: bool,
) {
    let points = points(own.clone()).into_iter().zip(own.clone());
    let points = points.map(|(point, number)| point.tag("series", (number % 5).to_string()));
    let request = client.write(points).database(database).use_v2_api(is_v2);
    if let Err(error) = request.send() {
        account.tell_error(&own, &error);
        assert_known(&error);
    }
}

fn assert_known(error: &Error) {
    let known = [
        ErrorKind::BufferFull,
        ErrorKind::Closed,
        ErrorKind::Connect,
        ErrorKind::PartialWrite,
        ErrorKind::RateLimited,
        ErrorKind::Rejected,
        ErrorKind::Server,
        ErrorKind::Timeout,
        ErrorKind::TooLarge,
        ErrorKind::Unauthorized,
    ];
    assert!(known.contains(&error.kind()), "{error:?}");
}

impl Inside {
    /// What a callback does with its client, if it does anything.
    fn use_client(&self) {
        let has_budget = |budget: usize| budget.checked_sub(1);
        if self.budget.fetch_update(Ordering::SeqCst, Ordering::SeqCst, has_budget).is_err() {
            return;
        }
        let Some(client) = self.client.get().and_then(WeakClient::upgrade) else { return };
        let (choice, count, is_v2) = {
            let mut random = self.random.lock().unwrap();
            (random.below(12), 1 + random.below(5) as i64, random.one_in(2))
        };
        match choice {
            0 | 1 => client.flush().unwrap_or_else(|error| self.account.tell_error(&NONE, &error)),
            2 if self.may_close => {
                client.close().unwrap_or_else(|error| self.account.tell_error(&NONE, &error))
            }
            3 => assert_adds_up(&client),
            _ => write(&client, &self.database, &self.account, self.account.numbers(count), is_v2),
        }
    }
}

fn with_callbacks(
    options: WriteOptions,
    inside: &Arc<Inside>,
    random: &mut Random,
) -> WriteOptions {
    let panics = random.one_in(4);
    let written = inside.clone();
    let mut options = options.success_callback(move |batch| {
        written.account.tell(End::Written, batch);
        written.use_client();
        if panics && batch.lines() % 2 == 0 {
            resume_unwind(Box::new("a callback that panics without a word"));
        }
    });
    if inside.account.has_error_callback() {
        let failed = inside.clone();
        options = options.error_callback(move |batch: &Batch, _| {
            failed.account.tell(End::Failed, batch);
            failed.use_client();
        });
    }
    let retried = inside.clone();
    options.retry_callback(move |_, _| retried.use_client())
}

fn options(random: &mut Random, scheduler: Option<&ThreadPoolScheduler>) -> WriteOptions {
    let millis =
        |random: &mut Random, most: usize| Duration::from_micros(random.below(1000 * most) as u64);
    let mut options = WriteOptions::default()
        .batch_size(1 + random.below(8))
        .max_batch_bytes(if random.one_in(3) { 60 } else { 1 << 20 })
        .buffer_limit(if random.one_in(2) { 4 << 10 } else { 16 << 10 })
        .on_full(random.pick(&[
            OnFull::Block,
            OnFull::Block,
            OnFull::BlockFor(Duration::from_millis(1)),
            OnFull::Error,
            OnFull::DropNewest,
            OnFull::DropOldest,
        ]))
        .flush_interval(Duration::from_micros(100) + millis(random, 5))
        .retry_interval(millis(random, 2))
        .max_retries(random.below(4) as u32)
        .max_retry_delay(Duration::from_millis(2))
        .max_close_wait(random.pick(&[
            Duration::ZERO,
            Duration::from_millis(3),
            Duration::from_secs(60),
            Duration::from_secs(60),
        ]));
    if random.one_in(4) {
        // Whoever waits must not count on the age of batches.
        options = options.flush_interval(Duration::from_secs(3600));
    }
    if random.one_in(3) {
        options = options.jitter_interval(millis(random, 2));
    }
    if random.one_in(3) {
        options = options.merge_waiting(false);
    } else if random.one_in(3) {
        options = options.max_request_lines(1 + random.below(20));
    }
    options = options.series_in_order(random.one_in(2));
    match scheduler {
        Some(scheduler) => options.write_scheduler(scheduler.clone()),
        None if random.one_in(3) => options.write_scheduler(ThreadPoolScheduler::new(3)),
        None => options,
    }
}

/// A file that is removed in the end.
#[cfg(feature = "csv")]
struct Scratch(PathBuf);

#[cfg(feature = "csv")]
impl Scratch {
    fn new(text: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("model-{}-{number}.csv", std::process::id());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

#[cfg(feature = "csv")]
impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
