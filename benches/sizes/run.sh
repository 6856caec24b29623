#!/usr/bin/env bash
# Builds small programs from nothing, one at a time, and tells how many crates they are made of (the program's own not
# counted), what CPU time that took and how large they are, stripped. With the musl target installed, static ones as well.
# `PEER=no` leaves out the program over the async client.
set -euo pipefail
cd "$(dirname "$0")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp ../../Cargo.lock Cargo.lock
cp ../Cargo.lock peer/Cargo.lock
TIMEFORMAT='%U %S'
musl="x86_64-unknown-linux-musl"
here="$(rustc -vV | sed -n 's/^host: //p')"

# row NAME DIR BIN TARGET FEATURES
row() {
    local name="$1" dir="$2" bin="$3" target="$4" features="$5" crates cpu bytes
    crates="$(cd "$dir" && cargo tree -e normal --target "$target" --features "$features" --prefix none |
        sed 's/ (\*)$//; s/ (proc-macro)$//' | sort -u | tail -n +2 | wc -l)"
    cpu="$( { time (cd "$dir" && CARGO_TARGET_DIR="$work/target" \
        cargo build --quiet --release --target "$target" --bin "$bin" --features "$features") >/dev/null 2>&1; } 2>&1 |
        awk '{ printf "%.0f", $1 + $2 }')"
    bytes="$(stat -c %s "$work/target/$target/release/$bin")"
    rm -rf "$work/target"
    printf '| %s | %s | %s | %s | %s |\n' "$name" "$target" "$crates" "$cpu" "$bytes"
}

printf '| program | target | crates | CPU seconds, cold | bytes |\n|---|---|---|---|---|\n'
for target in "$here" "$musl"; do
    [ -d "$(rustc --print target-libdir --target "$target")" ] || { echo "$target is not installed" >&2; continue; }
    if ! command -v musl-gcc >/dev/null; then export CC_x86_64_unknown_linux_musl="${CC:-cc}"; fi
    row "the encoder alone" . encode "$target" ""
    row "write" . write "$target" write
    row "write, TLS" . write "$target" write,tls
    row "write and query, TLS, gzip (the defaults)" . query "$target" query,tls,gzip
done
if [ "${PEER:-yes}" = yes ]; then
    row "the same as the last with the async client" peer influxdb3-blocking-sizes-peer "$here" ""
fi
