//! The body of any Flight answer, in pieces of any size: no panic, and what decodes is valid by arrow's own rules and
//! can be looked at.

use std::panic;
use std::sync::Once;

use influxdb3_blocking::fuzzing;

static QUIET: Once = Once::new();

/// The first byte is the size of the pieces, in steps of 16 bytes.
pub fn check(data: &[u8]) {
    QUIET.call_once(allow_panics_of_arrow);
    if let Some((size, body)) = data.split_first() {
        let piece = 16 * usize::from(*size) + 1;
        let rows = fuzzing::decode_flight(body, piece);
        // Where the pieces end makes no difference.
        assert_eq!(fuzzing::decode_flight(body, usize::MAX).ok(), rows.ok());
    }
}

/// arrow panics on contradictions, which the decoder holds back; libFuzzer's own hook would abort before that, and
/// the usual one prints a backtrace. A panic that gets out of the decoder still ends the target.
fn allow_panics_of_arrow() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let is_arrows = |file: &str| file.contains("/arrow-") || file.contains("/flatbuffers-");
        if !panic.location().is_some_and(|place| is_arrows(place.file())) {
            usual(panic);
        }
    }));
}
