//! From the bytes of an answer to record batches and values, for fuzz targets.

use arrow_array::RecordBatch;
use bytes::Bytes;

use super::flight::{Decoded, Decoder, MessageProgress, MessageReader};
use super::rows::Rows;
use crate::Result;

/// Decodes the body of an answer over Flight, received in pieces of this size, and looks at the values of all batches.
///
/// # Panics
///
/// A fault was found: arrow's full validation refuses a batch that was decoded, or something else panicked.
pub(crate) fn fuzz_decode(body: &[u8], piece: usize) -> Result<Vec<RecordBatch>> {
    const LIMIT: usize = 1 << 20;
    let mut reader = MessageReader::new(LIMIT);
    let mut decoder = Decoder::new(LIMIT);
    let mut batches = Vec::new();
    for piece in body.chunks(piece.max(1)) {
        reader.push(Bytes::copy_from_slice(piece));
        while let Some(progress) = reader.read()? {
            let MessageProgress::Whole(message) = progress else { continue };
            if let Decoded::Batch(batch) = decoder.decode(message)? {
                for column in batch.columns() {
                    let valid = column.to_data().validate_full();
                    assert!(valid.is_ok(), "what was decoded is not valid: {valid:?}");
                }
                // A batch of columns of the type null has up to 2^31 rows in a few bytes: a thousand are enough.
                for row in Rows::new(&batch).take(1000) {
                    drop(format!("{row:?}"));
                }
                batches.push(batch);
            }
        }
    }
    Ok(batches)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded answers, each as the body that it was.
    fn bodies() -> Vec<Vec<u8>> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wire/flight.json");
        let cases: Vec<serde_json::Value> =
            serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let mut bodies: Vec<Vec<u8>> = Vec::new();
        for case in cases {
            let mut body = Vec::new();
            for message in case["messages_base64"].as_array().into_iter().flatten() {
                let message = base64(message.as_str().unwrap());
                body.push(0);
                body.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
                body.extend_from_slice(&message);
            }
            if !body.is_empty() && !bodies.contains(&body) {
                bodies.push(body);
            }
        }
        bodies
    }

    fn base64(text: &str) -> Vec<u8> {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.decode(text).unwrap()
    }

    /// Random numbers, the same each time.
    struct Xorshift(u64);

    impl Xorshift {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 % limit as u64) as usize
        }
    }

    #[test]
    fn recorded_answers_decode_in_pieces_of_any_size() {
        for body in bodies() {
            let whole = fuzz_decode(&body, usize::MAX).unwrap();
            for piece in [1, 7, 99, 100, 1000] {
                assert_eq!(fuzz_decode(&body, piece).unwrap(), whole);
            }
        }
    }

    #[test]
    fn answers_that_are_cut_anywhere_do_not_panic() {
        for body in bodies() {
            for end in (0..body.len()).step_by(1) {
                let _ = fuzz_decode(&body[..end], 64);
            }
        }
    }

    #[test]
    fn answers_with_flipped_bits_decode_to_valid_batches_or_not_at_all() {
        let mut random = Xorshift(0x9e37_79b9_7f4a_7c15);
        let (mut good, mut bad) = (0, 0);
        for body in bodies() {
            for _ in 0..2_000 {
                let mut body = body.clone();
                for _ in 0..=random.below(3) {
                    let place = random.below(body.len());
                    match random.below(4) {
                        0 => body[place] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
                        _ => body[place] ^= 1 << random.below(8),
                    }
                }
                match fuzz_decode(&body, 4096) {
                    Ok(_) => good += 1,
                    Err(_) => bad += 1,
                }
            }
        }
        assert!(good > 1000 && bad > 1000, "the mutations are too tame or too wild: {good} {bad}");
    }
}
