#![no_main]

#[path = "../oracles/mod.rs"]
mod oracles;

libfuzzer_sys::fuzz_target!(
    // The decoder holds back arrow's panics, at which the fuzzer's own hook would abort.
    init: drop(std::panic::take_hook()),
    |data: &[u8]| oracles::decode::check(data)
);
