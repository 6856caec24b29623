//! What a client of the model tells about its lines, and whether that can be true.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Mutex;

use influxdb3_blocking::{Batch, Error, WriteStats};

use super::world::{World, is_bad};
use crate::support::batching::numbers;

/// Where the numbers of one client went, as it tells by its callbacks and errors.
pub(crate) struct Account {
    has_error_callback: bool,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    /// How each number was told to end.
    ends: BTreeMap<i64, Vec<End>>,
    next: i64,
    /// The numbers of files.
    of_files: Vec<Range<i64>>,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum End {
    Written,
    /// Told to the error callback.
    Failed,
    /// Accepted, and given back by an error.
    HandedBack,
    /// Not accepted, and given back by the error of its own call.
    Refused,
    /// A bad line that an error names.
    Named,
    /// Given back by the error of its own file, accepted or not.
    OfFile,
}

impl Account {
    pub(crate) fn new(has_error_callback: bool) -> Self {
        Self { has_error_callback, told: Mutex::default() }
    }

    pub(crate) fn has_error_callback(&self) -> bool {
        self.has_error_callback
    }

    /// Numbers that were not used before.
    pub(crate) fn numbers(&self, count: i64) -> Range<i64> {
        let mut told = self.told.lock().unwrap();
        let first = FIRST + told.next;
        told.next += count;
        first..first + count
    }

    /// The same for a file. If its client has an error callback, that is told of each of its lines as well.
    pub(crate) fn numbers_of_file(&self, count: i64) -> Range<i64> {
        let numbers = self.numbers(count);
        self.told.lock().unwrap().of_files.push(numbers.clone());
        numbers
    }

    pub(crate) fn tell(&self, end: End, batch: &Batch) {
        let mut told = self.told.lock().unwrap();
        for number in numbers(batch.line_protocol()) {
            told.ends.entry(number).or_default().push(end);
        }
    }

    /// `own` are the numbers of the call that failed.
    pub(crate) fn tell_error(&self, own: &Range<i64>, error: &Error) {
        let mut told = self.told.lock().unwrap();
        let is_file = told.of_files.contains(own);
        for batch in error.unsent() {
            for number in numbers(batch.line_protocol()) {
                let end = match own.contains(&number) {
                    true if is_file && self.has_error_callback => continue,
                    true if is_file => End::OfFile,
                    true => End::Refused,
                    false => End::HandedBack,
                };
                told.ends.entry(number).or_default().push(end);
            }
        }
        for line in error.line_errors().iter().filter_map(|line| line.line()) {
            let number = numbers(line.as_bytes())[0];
            if !(is_file && self.has_error_callback && own.contains(&number)) {
                told.ends.entry(number).or_default().push(End::Named);
            }
        }
    }

    /// Whether all these are stored, as far as it was told.
    pub(crate) fn assert_written(&self, numbers: Range<i64>) {
        let told = self.told.lock().unwrap();
        for number in numbers {
            assert_eq!(told.ends.get(&number).map(Vec::as_slice), Some(&[End::Written][..]));
        }
    }

    /// Checks it against what the server stored and, if the client was not dropped, what it counted.
    pub(crate) fn check(&self, world: &World, stats: Option<&WriteStats>) {
        let told = self.told.lock().unwrap();
        let is_of_file =
            |number: i64| told.of_files.iter().any(|numbers| numbers.contains(&number));
        let (mut untold, mut untold_of_files) = (0, 0);
        let mut counts: HashMap<End, u64> = HashMap::new();
        for number in FIRST..FIRST + told.next {
            match told.ends.get(&number).map_or(&[][..], Vec::as_slice) {
                [] if is_of_file(number) => untold_of_files += 1,
                [] => untold += 1,
                [end] => *counts.entry(*end).or_default() += 1,
                more => panic!("{number} ended more than once: {more:?}"),
            }
            if told.ends.get(&number).is_some_and(|ends| ends == &[End::Written]) {
                assert!(world.stored.contains(&number), "{number} is not stored");
                assert!(!is_bad(number));
            }
        }
        let Some(stats) = stats else {
            assert_eq!(untold, 0, "{counts:?}");
            return;
        };
        let count = |end| counts.get(&end).copied().unwrap_or(0);
        let context = format!("{stats:?} {counts:?}, {untold} and {untold_of_files} untold");
        let lost = stats.rejected.lines + stats.failed.lines + stats.dropped.lines;
        assert_eq!(stats.pending.lines, 0, "{context}");
        assert_eq!(stats.written.lines, count(End::Written), "{context}");
        if self.has_error_callback {
            assert_eq!((count(End::Failed), untold), (lost, 0), "{context}");
            assert_eq!(count(End::HandedBack), stats.returned.lines, "{context}");
            let ended = count(End::Written) + count(End::Failed) + count(End::HandedBack);
            assert_eq!(ended, stats.accepted.lines, "{context}");
            return;
        }
        // Dropped lines are told to nobody then, and how many lines of a file were accepted is not known.
        let all: u64 = told.next.unsigned_abs();
        let of_files: u64 =
            told.of_files.iter().map(|range| (range.end - range.start).unsigned_abs()).sum();
        let back = count(End::HandedBack) + count(End::Refused);
        if of_files == 0 {
            let refused = all - stats.accepted.lines;
            assert_eq!((count(End::Named), untold), (stats.rejected.lines, stats.dropped.lines));
            // The first lines of a large call may have failed when the others are refused.
            assert_eq!(back, stats.returned.lines + stats.failed.lines + refused, "{context}");
        } else {
            assert!(count(End::Named) <= stats.rejected.lines, "{context}");
            assert!(untold <= stats.dropped.lines, "{context}");
            let known = back + count(End::OfFile) + count(End::Named);
            assert!(stats.returned.lines + stats.failed.lines <= known, "{context}");
        }
    }
}

/// Numbers have as many digits, so that lines have as many bytes.
const FIRST: i64 = 1_000_000;
