//! A random program.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::line::{Line, number_of, text_of};
use super::process::Process;
use super::random::Random;
use super::sim_disk::SimDisk;
use super::totals::Totals;
use crate::Precision;
use crate::config::Headers;
use crate::write::answer::Api;
use crate::write::spool::{
    DiskBatch, DiskQueue, ReadLimits, ReadOutcome, Refused, SpoolSettings, SpoolSync,
};
use crate::write::target::Target;

pub(super) struct Program {
    seed: u64,
    random: Random,
    disk: SimDisk,
    settings: SpoolSettings,
    has_damage: bool,
    targets: Vec<Arc<Target>>,
    lines: BTreeMap<u64, Line>,
    next: u64,
    totals: Totals,
    /// What happened, for the message of a failure.
    history: Vec<String>,
    /// Lines that were dropped for the limit.
    dropped: u64,
    damages: usize,
}

impl Program {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let settings = SpoolSettings {
            directory: PathBuf::from("spool"),
            limit: random.pick(&[4 << 10, 16 << 10, 1 << 20]),
            sync: random.pick(&[
                SpoolSync::EveryBatch,
                SpoolSync::Every(Duration::from_secs(3600)),
                SpoolSync::Never,
            ]),
            is_tidy: random.one_in(2),
        };
        Self {
            seed,
            disk: SimDisk::new(random.number()),
            has_damage: random.one_in(5),
            targets: (0..3).map(target).collect(),
            lines: BTreeMap::new(),
            next: 0,
            totals: Totals::default(),
            history: vec![format!("{settings:?}")],
            dropped: 0,
            damages: 0,
            settings,
            random,
        }
    }

    pub(super) fn run(mut self) -> Totals {
        let result = catch_unwind(AssertUnwindSafe(|| self.run_to_the_end()));
        if let Err(panic) = result {
            self.history.push(format!(
                "{:?}",
                self.disk
                    .files()
                    .iter()
                    .map(|(name, bytes)| (name, bytes.len()))
                    .collect::<Vec<_>>()
            ));
            println!("the program of seed {} failed:\n{}", self.seed, self.history.join("\n"));
            resume_unwind(panic);
        }
        self.totals
    }

    fn run_to_the_end(&mut self) {
        for _ in 0..1 + self.random.below(5) {
            let power_was_lost = self.live();
            if self.has_damage && self.random.one_in(2) && self.disk.damage() {
                self.damages += 1;
                self.totals.damages += 1;
            }
            self.history.push(format!("start, power was lost: {power_was_lost}"));
            self.disk.start(power_was_lost);
        }
        self.read_the_rest();
    }

    /// One process, to its end; says whether power was lost.
    fn live(&mut self) -> bool {
        if self.random.one_in(2) {
            self.disk.stop_in(self.random.below(150));
        }
        let Ok(queue) = DiskQueue::open(Arc::new(self.disk.clone()), self.settings.clone()) else {
            assert!(self.disk.has_stopped());
            return self.crash();
        };
        // One process has it.
        if self.random.one_in(20) {
            let second = DiskQueue::open(Arc::new(self.disk.clone()), self.settings.clone());
            assert!(second.is_err());
        }
        let mut process = Process::new(queue, self.targets.len());
        for _ in 0..self.random.below(60) {
            self.act(&mut process);
            if self.disk.has_stopped() {
                break;
            }
        }
        if self.disk.has_stopped() || self.random.one_in(2) {
            // Nothing reaches the disk any more, and whatever is dropped is dropped without a trace.
            self.disk.stop();
            process.queue.close();
            drop(process);
            return self.crash();
        }
        process.leased.iter().for_each(|(lease, _)| lease.leave());
        process.queue.close();
        if self.settings.sync != SpoolSync::Never && !self.disk.has_stopped() {
            self.mark_safe();
        }
        drop(process);
        false
    }

    fn crash(&mut self) -> bool {
        let power_was_lost = self.random.one_in(2);
        if power_was_lost {
            self.totals.power_losses += 1;
            for line in self.lines.values_mut().filter(|line| !line.is_safe) {
                line.may_be_lost = true;
            }
        } else {
            self.totals.kills += 1;
        }
        power_was_lost
    }

    fn act(&mut self, process: &mut Process) {
        match self.random.below(20) {
            0..8 => self.add(process, false),
            8 => self.add(process, true),
            9..13 => {
                let limits = self.limits();
                self.read(process, limits);
            }
            13..17 => self.end(process),
            17 if self.random.one_in(3) => self.disk.fail_next_write(),
            18 => {
                let result = process.queue.sync();
                self.history.push(format!("sync: {result:?}"));
                if result.is_ok() && self.settings.sync != SpoolSync::Never {
                    self.mark_safe();
                }
            }
            19 if self.random.one_in(4) => {
                self.disk.fail_syncs(true);
                let errors = process.queue.contents().errors;
                self.add(process, false);
                if process.queue.contents().errors > errors {
                    // A disk that could not write may have forgotten what it was, for good.
                    let unsafe_lines = self.lines.values_mut().filter(|line| !line.is_safe);
                    unsafe_lines.for_each(|line| line.is_forgotten = true);
                }
                self.disk.fail_syncs(false);
            }
            _ => {}
        }
    }

    /// What the queue has taken so far is safe.
    fn mark_safe(&mut self) {
        let taken = self.lines.values_mut().filter(|line| line.is_taken && !line.is_forgotten);
        taken.for_each(|line| line.is_safe = true);
    }

    fn add(&mut self, process: &mut Process, is_sent_already: bool) {
        let most = if self.random.one_in(4) { 40 } else { 4 };
        let count = 1 + self.random.below(most) as u64;
        let target = self.random.below(self.targets.len());
        let numbers: Vec<u64> = (self.next..self.next + count).collect();
        self.next += count;
        self.totals.lines += numbers.len();
        let text: String = numbers.iter().map(|number| text_of(*number)).collect();
        let (place, bytes) = (&self.targets[target], text.as_bytes());
        let line = Line::new(target);
        for number in &numbers {
            self.lines.insert(*number, line);
        }
        loop {
            let result = if is_sent_already {
                process.queue.add_read(place, bytes, numbers.len()).map(|lease| {
                    lease.is_some_and(|lease| {
                        process.last_read[target] = numbers.last().copied();
                        process.leased.push((lease, numbers.clone()));
                        true
                    })
                })
            } else {
                process.queue.add(place, bytes, numbers.len()).map(|_| true)
            };
            self.history.push(format!("add {numbers:?}: {result:?}"));
            let is_synced = self.settings.sync == SpoolSync::EveryBatch && !is_sent_already;
            match result {
                Ok(true) => self.note(&numbers, |line| {
                    (line.is_taken, line.is_safe) = (true, is_synced);
                }),
                // Something is unread: they stay with who sends them, and are never read.
                Ok(false) => self.note(&numbers, |line| line.is_refused = true),
                Err(Refused::NotSafe(..)) => self.note(&numbers, |line| line.is_taken = true),
                Err(Refused::Full) if self.random.one_in(2) => {
                    if let Some(dropped) = process.queue.drop_oldest() {
                        self.dropped += dropped.amount.lines;
                        self.totals.dropped += dropped.amount.lines;
                        if dropped.is_former {
                            process.former_lost += dropped.amount.lines;
                        }
                        continue;
                    }
                    self.note(&numbers, |line| line.is_refused = true);
                }
                Err(Refused::Failed(_)) if self.disk.has_stopped() => {}
                Err(Refused::Full | Refused::Failed(_)) => {
                    self.totals.refused += numbers.len();
                    self.note(&numbers, |line| line.is_refused = true);
                }
                Err(Refused::Closed) => panic!("it is open"),
            }
            return;
        }
    }

    fn note(&mut self, numbers: &[u64], change: impl Fn(&mut Line)) {
        numbers.iter().for_each(|number| change(self.lines.get_mut(number).unwrap()));
    }

    fn limits(&mut self) -> ReadLimits {
        ReadLimits {
            batch_lines: 1 + self.random.below(50),
            batch_bytes: 1 + self.random.below(1000),
            lines: 1 + self.random.below(100),
            bytes: 1 + self.random.below(5000),
        }
    }

    /// Reads once; says whether there may be another one.
    fn read(&mut self, process: &mut Process, limits: ReadLimits) -> bool {
        let mut reader = process.queue.read().expect("nobody else reads");
        assert!(process.queue.read().is_none());
        match reader.next(limits) {
            Ok(ReadOutcome::Batches(batches, lost)) => {
                assert!(!batches.is_empty());
                process.former_lost +=
                    lost.filter(|lost| lost.is_former).map_or(0, |lost| lost.amount.lines);
                batches.into_iter().for_each(|batch| self.take(process, batch));
                true
            }
            Ok(ReadOutcome::Lost(lost)) => {
                // Without syncs, a loss of power leaves holes as well.
                let is_excused = self.damages > 0 || self.has_torn_blocks();
                assert!(is_excused || self.disk.has_stopped(), "{lost:?}");
                if lost.is_former {
                    process.former_lost += lost.amount.lines;
                }
                true
            }
            Ok(ReadOutcome::Nothing) => false,
            Err(_) => {
                assert!(self.disk.has_stopped());
                false
            }
        }
    }

    /// Checks what was read.
    fn take(&mut self, process: &mut Process, batch: DiskBatch) {
        let target = self.targets.iter().position(|known| *known == batch.target).unwrap();
        let text = String::from_utf8(batch.bytes).unwrap();
        let numbers: Vec<u64> = text.split_inclusive('\n').map(number_of).collect();
        assert_eq!(numbers.len(), batch.lines);
        for number in &numbers {
            let line = self.lines[number];
            assert_eq!(line.target, target, "line {number} went elsewhere");
            assert!(!line.is_refused, "line {number} was refused and is there");
            let last = process.last_read[target].replace(*number);
            assert!(last.is_none_or(|last| last < *number), "{number} comes after {last:?}");
            self.totals.repeated += usize::from(line.has_ended);
        }
        self.history.push(format!("read {numbers:?}"));
        self.totals.read += numbers.len();
        if batch.lease.is_former() {
            process.former_read += numbers.len() as u64;
        }
        process.leased.push((batch.lease, numbers));
    }

    fn end(&mut self, process: &mut Process) {
        if process.leased.is_empty() {
            return;
        }
        let place = self.random.below(process.leased.len());
        let (lease, numbers) = process.leased.swap_remove(place);
        self.history.push(format!("end {numbers:?}"));
        self.note(&numbers, |line| line.has_ended = true);
        self.totals.ended += numbers.len();
        drop(lease);
    }

    /// A last process reads everything. What is not there must have ended, have been dropped, or never been promised.
    fn read_the_rest(&mut self) {
        let queue = DiskQueue::open(Arc::new(self.disk.clone()), self.settings.clone()).unwrap();
        let found = queue.contents().found.lines;
        let mut process = Process::new(queue, self.targets.len());
        loop {
            let limits = self.limits();
            if !self.read(&mut process, limits) {
                break;
            }
        }
        if self.damages == 0 {
            assert_eq!(found, process.former_read + process.former_lost, "seed {}", self.seed);
        }
        let there: BTreeSet<u64> =
            process.leased.iter().flat_map(|(_, numbers)| numbers.iter().copied()).collect();
        let missing: Vec<u64> = self
            .lines
            .iter()
            .filter(|(number, line)| {
                line.is_taken && !line.may_be_lost && !line.has_ended && !there.contains(number)
            })
            .map(|(number, _)| *number)
            .collect();
        self.totals.unsafe_lines += self.lines.values().filter(|line| line.may_be_lost).count();

        // Everything ends, and nothing is left.
        process.leased.clear();
        assert!(process.queue.is_empty());
        process.queue.close();
        let files = self.disk.files();
        let bad: String = files
            .iter()
            .filter(|(name, _)| name.ends_with(".bad"))
            .map(|(_, contents)| String::from_utf8_lossy(contents).into_owned())
            .collect();
        assert!(
            files.iter().all(|(name, _)| name == "lock" || name.ends_with(".bad")),
            "something is left: {:?}",
            files.iter().map(|(name, _)| name).collect::<Vec<_>>()
        );
        assert!(self.damages > 0 || self.has_torn_blocks() || bad.is_empty(), "{bad}");
        let lost: Vec<_> =
            missing.iter().filter(|number| !bad.contains(&text_of(**number))).collect();
        let excuses = self.dropped as usize + self.damages;
        assert!(lost.len() <= excuses, "{} lines are lost, {excuses} may be: {lost:?}", lost.len());
    }

    /// Whether power was lost with something unsynced: then blocks of zeros may be there.
    fn has_torn_blocks(&self) -> bool {
        self.totals.power_losses > 0
    }
}

pub(super) fn target(number: usize) -> Arc<Target> {
    Arc::new(Target {
        database: Arc::from(format!("d{number}")),
        organization: Arc::from(""),
        precision: Precision::Nanosecond,
        api: Api::V3,
        no_sync: false,
        accept_partial: true,
        headers: Headers::default(),
        timeout: Duration::from_secs(1),
    })
}
