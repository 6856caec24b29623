//! Sends the batches of a file while the next one is read.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope};

use crate::write::http::Http;
use crate::write::sync::{self, Encoded};
use crate::write::target::Target;
use crate::{Client, Result};

/// A thread that sends one batch at a time, from the first one on that has another one behind it.
pub(super) struct Sender<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    client: &'env Client,
    target: Target,
    thread: Option<Thread>,
}

struct Thread {
    batches: SyncSender<Encoded>,
    sent: Receiver<(Encoded, Result<()>)>,
}

impl<'scope, 'env> Sender<'scope, 'env> {
    pub(super) fn new(
        scope: &'scope Scope<'scope, 'env>,
        client: &'env Client,
        target: Target,
    ) -> Self {
        Self { scope, client, target, thread: None }
    }

    /// Sends a batch on this thread.
    pub(super) fn send_here(&self, batch: &Encoded) -> Result<()> {
        send(self.client, &self.target, batch)
    }

    /// Hands a batch to the thread, which must have none. Without a thread it comes back.
    pub(super) fn begin(&mut self, batch: Encoded) -> Option<Encoded> {
        if self.thread.is_none() {
            self.thread = self.start();
        }
        match &self.thread {
            Some(thread) => thread.batches.send(batch).err().map(|unsent| unsent.0),
            None => Some(batch),
        }
    }

    /// Waits for the batch that the thread has, and what came of it.
    pub(super) fn end(&self) -> Option<(Encoded, Result<()>)> {
        self.thread.as_ref()?.sent.recv().ok()
    }

    fn start(&self) -> Option<Thread> {
        let (batches, to_send) = sync_channel::<Encoded>(1);
        let (done, sent) = sync_channel(1);
        let (client, target) = (self.client, self.target.clone());
        let work = move || {
            for batch in to_send {
                let result = send(client, &target, &batch);
                if done.send((batch, result)).is_err() {
                    return;
                }
            }
        };
        let builder = Builder::new().name(THREAD_NAME.into());
        builder.spawn_scoped(self.scope, work).ok()?;
        Some(Thread { batches, sent })
    }
}

fn send(client: &Client, target: &Target, batch: &Encoded) -> Result<()> {
    let http: &Http = client.http();
    sync::send(http, client.config(), target, batch)
}

const THREAD_NAME: &str = "influxdb3-file";
