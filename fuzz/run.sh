#!/usr/bin/env bash
# Builds every fuzz target and runs each for some seconds (10 unless told otherwise), from the committed seeds.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-10}
if ! cargo +nightly --version >/dev/null 2>&1; then
    rustup toolchain install nightly --profile minimal --no-self-update
fi
if ! cargo fuzz --version >/dev/null 2>&1; then
    cargo install cargo-fuzz --locked
fi
cargo +nightly fuzz build --fuzz-dir .
for target in $(cargo +nightly fuzz list --fuzz-dir .); do
    echo "$target"
    mkdir -p "corpus/$target"
    # The first directory is where the fuzzer writes: never the seeds.
    cargo +nightly fuzz run --fuzz-dir . "$target" "corpus/$target" "seeds/$target" -- \
        -max_total_time="$seconds" -max_len=4096 -timeout=10 -verbosity=0
done
