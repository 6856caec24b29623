//! Standard input, which a signal ends, and which says when nothing comes.

use std::io::{self, Read};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::format::InputFormat;
use crate::interrupt;

/// Standard input. After a signal it fails; of line protocol it says about once a second that it would block, if it
/// would, so that lines that were received are written.
#[derive(Debug)]
pub(super) struct Stdin {
    parts: Receiver<io::Result<Vec<u8>>>,
    part: Vec<u8>,
    /// How much of the part was handed out.
    place: usize,
    /// How many bytes were handed out.
    given: u64,
    /// Whether it may say that it would block.
    can_pause: bool,
    paused: Instant,
}

impl Stdin {
    /// Begins to read it, on a thread of its own.
    pub(super) fn read(format: InputFormat) -> Self {
        let (sender, parts) = mpsc::sync_channel(4);
        std::thread::spawn(move || {
            let mut stdin = io::stdin().lock();
            loop {
                let mut part = vec![0; PART];
                let sent = match stdin.read(&mut part) {
                    Ok(0) => return,
                    Ok(count) => {
                        part.truncate(count);
                        sender.send(Ok(part))
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => sender.send(Err(error)),
                };
                if sent.is_err() {
                    return;
                }
            }
        });
        let can_pause = format == InputFormat::Lp;
        Self { parts, part: Vec::new(), place: 0, given: 0, can_pause, paused: Instant::now() }
    }

    /// Waits for the next part; false is the end.
    fn next_part(&mut self) -> io::Result<bool> {
        loop {
            if interrupt::is_caught() {
                return Err(io::Error::other("interrupted"));
            }
            if self.can_pause && self.given >= MAGIC && self.paused.elapsed() >= BETWEEN_PAUSES {
                if let Ok(part) = self.parts.try_recv() {
                    return self.take(part?);
                }
                self.paused = Instant::now();
                return Err(io::ErrorKind::WouldBlock.into());
            }
            match self.parts.recv_timeout(BETWEEN_LOOKS) {
                Ok(part) => return self.take(part?),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
            }
        }
    }

    fn take(&mut self, part: Vec<u8>) -> io::Result<bool> {
        // What is packed cannot be read in halves.
        if self.given == 0 && (part.starts_with(b"\x1f") || part.starts_with(b"\x28\xb5")) {
            self.can_pause = false;
        }
        self.part = part;
        self.place = 0;
        Ok(true)
    }
}

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.place == self.part.len() && !self.next_part()? {
            return Ok(0);
        }
        let mut rest = self.part.get(self.place..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.place += count;
        self.given += count as u64;
        Ok(count)
    }
}

const PART: usize = 256 << 10;
/// The first bytes tell how it is packed, and are waited for.
const MAGIC: u64 = 6;
const BETWEEN_PAUSES: Duration = Duration::from_secs(1);
/// How soon a signal is seen.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
