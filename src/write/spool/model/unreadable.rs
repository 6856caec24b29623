//! Files that cannot be opened, for now or for good.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::line::text_of;
use super::program::target;
use super::sim_disk::SimDisk;
use crate::write::spool::{DiskQueue, ReadLimits, ReadOutcome, SpoolSettings, SpoolSync};

const LIMITS: ReadLimits =
    ReadLimits { batch_lines: 100, batch_bytes: 1000, lines: 100, bytes: 1000 };

fn with_one_line(disk: &SimDisk) -> DiskQueue {
    let settings = SpoolSettings {
        directory: PathBuf::from("spool"),
        limit: 1 << 20,
        sync: SpoolSync::Never,
        is_tidy: true,
    };
    let queue = DiskQueue::open(Arc::new(disk.clone()), settings).unwrap();
    queue.add(&target(0), text_of(1).as_bytes(), 1).unwrap();
    queue
}

#[test]
fn a_segment_that_cannot_be_opened_for_now_is_read_later_however_long_that_is() {
    let errors: [fn() -> io::Error; 3] = [
        || io::ErrorKind::PermissionDenied.into(),
        || io::ErrorKind::StaleNetworkFileHandle.into(),
        // Too many open files, on Unix and on Windows.
        || io::Error::from_raw_os_error(if cfg!(unix) { 24 } else { 4 }),
    ];
    for why in errors {
        let disk = SimDisk::new(1);
        let queue = with_one_line(&disk);
        let mut reader = queue.read().unwrap();
        for _ in 0..7 {
            disk.fail_next_open(why());
            reader.next(LIMITS).unwrap_err();
        }
        let ReadOutcome::Batches(batches, None) = reader.next(LIMITS).unwrap() else {
            panic!("{}: it is gone", why())
        };
        assert_eq!(batches[0].bytes, text_of(1).as_bytes(), "{}", why());
        assert_eq!((queue.contents().damaged, queue.contents().errors), (0, 7));
    }
}

#[test]
fn a_segment_that_the_medium_has_lost_is_given_up_after_some_tries() {
    let errors: [fn() -> io::Error; 4] = [
        || io::ErrorKind::NotFound.into(),
        || io::ErrorKind::UnexpectedEof.into(),
        || io::ErrorKind::InvalidData.into(),
        #[cfg(unix)]
        || io::Error::from_raw_os_error(5),
        #[cfg(not(unix))]
        || io::Error::from_raw_os_error(1117),
    ];
    for why in errors {
        let disk = SimDisk::new(1);
        let queue = with_one_line(&disk);
        let mut reader = queue.read().unwrap();
        let mut tries = 0;
        let lost = loop {
            disk.fail_next_open(why());
            tries += 1;
            match reader.next(LIMITS) {
                Err(_) => {}
                Ok(ReadOutcome::Lost(lost)) => break lost,
                Ok(other) => panic!("{other:?}"),
            }
        };
        assert_eq!((tries, lost.amount.lines), (5, 1), "{}", why());
        assert_eq!(queue.contents().damaged, 1);
    }
}
