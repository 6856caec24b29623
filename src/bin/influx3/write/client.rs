//! The client that writes: in batches, as the command line says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use influxdb3_blocking::{Client, Error, ThreadPoolScheduler, WriteOptions};

use super::arguments::{GzipChoice, SendingArguments};
use super::progress::Watch;
use crate::connection::Settings;
use crate::failure::Failure;
use crate::interrupt;

/// How batches are made and sent.
pub(super) fn options(sending: &SendingArguments) -> WriteOptions {
    let options = WriteOptions::default()
        .batch_size(sending.batch_size)
        .max_batch_bytes(MOST_BYTES)
        .merge_waiting(false)
        .buffer_limit(BUFFER)
        .max_retries(sending.max_retries)
        .max_close_wait(CLOSE_WAIT)
        .write_scheduler(ThreadPoolScheduler::new(sending.workers));
    match sending.max_retries {
        0 => options.max_retry_time(Duration::ZERO),
        _ => options,
    }
}

/// A client with these options; `explain` says what is wrong with them.
pub(super) fn open(
    settings: &Settings,
    sending: &SendingArguments,
    options: WriteOptions,
    explain: impl FnOnce(Error) -> Failure,
) -> Result<Client, Failure> {
    let mut builder = settings.builder()?.write_options(options);
    if sending.v3 || sending.no_sync {
        builder = builder.use_v2_api(false).no_sync(sending.no_sync);
    }
    if let Some(rate) = sending.rate_limit {
        // What is sent at once is about what may be sent in a second.
        builder = builder.max_request_bytes((rate as usize).clamp(64 << 10, 10 << 20));
    }
    let compresses = match sending.gzip {
        GzipChoice::Auto => !settings.is_local(),
        GzipChoice::Always => true,
        GzipChoice::Never => false,
    };
    if compresses {
        builder = builder.gzip_threshold(1000);
    }
    builder.build().map_err(explain)
}

/// While the value is kept, a signal closes the client: nothing more is read. `told` is the part of the message that
/// says what happens to the lines that were read.
pub(super) fn close_on_interrupt(
    client: &Client,
    watch: &Arc<Watch>,
    reads_stdin: Arc<AtomicBool>,
    told: &'static str,
) -> interrupt::Instead {
    let (client, watch) = (client.clone(), watch.clone());
    interrupt::instead(move || {
        watch.tell(&format!("stopping: {told} (once more ends it at once)"));
        // Reading standard input fails by itself, and the lines before that are sent.
        if !reads_stdin.load(Ordering::Acquire) {
            // The call that waits for these lines returns the error.
            let _ = client.close();
        }
    })
}

/// The makers of the server call 10 000 lines or 10 MB the best size.
const MOST_BYTES: usize = 10_000_000;
/// For what is read and not written yet.
const BUFFER: usize = 64 << 20;
/// How long lines that are under way are waited for after an interrupt.
const CLOSE_WAIT: Duration = Duration::from_secs(10);
