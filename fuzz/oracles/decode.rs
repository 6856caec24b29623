//! Any body of a query's answer: it decodes to valid record batches, the same in pieces of any size, or is refused.

use influxdb3_blocking::{ErrorKind, fuzzing};

pub fn check(data: &[u8]) {
    let piece = 1 + data.len() % 61;
    match (fuzzing::decode(data, usize::MAX), fuzzing::decode(data, piece)) {
        (Ok(whole), Ok(pieces)) => assert_eq!(whole, pieces),
        (Err(whole), Err(pieces)) => {
            assert_eq!(whole.kind(), pieces.kind());
            assert!(matches!(whole.kind(), ErrorKind::Decode | ErrorKind::TooLarge), "{whole:?}");
            assert!(!whole.to_string().is_empty());
        }
        (whole, pieces) => panic!("it depends on the pieces: {whole:?}, but {pieces:?}"),
    }
}
