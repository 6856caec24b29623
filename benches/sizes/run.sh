#!/usr/bin/env bash
# Builds small programs from nothing, one at a time, and writes RESULTS.md: how many crates they are made of (the program's own
# not counted), what CPU time that took and how large they are, stripped. With the musl target installed, static ones as well.
# The words of the command line name the rows that are wanted (`run.sh write query`); none means all. NOTE is a sentence about
# the conditions.
set -euo pipefail
cd "$(dirname "$0")"
wanted=("$@")
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
# With the versions of here; cargo strikes out what is not used.
cp ../../Cargo.lock Cargo.lock
cp ../../Cargo.lock bare/Cargo.lock
cp ../Cargo.lock peer/Cargo.lock
TIMEFORMAT='%U %S'
musl="x86_64-unknown-linux-musl"
here="$(rustc -vV | sed -n 's/^host: //p')"

# build DIR TARGET BIN FEATURES. A function, as a redirection would take what `time` says as well.
build() {
    (cd "$1" && CARGO_TARGET_DIR="$work/target" \
        cargo build --quiet --release --target "$2" --bin "$3" --features "$4") >"$work/log" 2>&1
}

# row ID NAME DIR BIN TARGET FEATURES
row() {
    local id="$1"
    shift
    [ ${#wanted[@]} -eq 0 ] || [[ " ${wanted[*]} " == *" $id "* ]] || return 0
    local name="$1" dir="$2" bin="$3" target="$4" features="$5" crates cpu bytes
    crates="$(cd "$dir" && cargo tree -e normal --target "$target" --features "$features" --prefix none 2>/dev/null |
        sed 's/ (\*)$//; s/ (proc-macro)$//' | sort -u | tail -n +2 | wc -l)"
    # Sources are had before the clock starts.
    (cd "$dir" && cargo fetch --quiet --target "$target")
    { time build "$dir" "$target" "$bin" "$features"; } 2>"$work/time" || { cat "$work/log" >&2; return 1; }
    cpu="$(awk '{ printf "%.0f", $1 + $2 }' "$work/time")"
    bytes="$(stat -c %s "$work/target/$target/release/$bin")"
    rm -rf "$work/target"
    printf '| %s | %s | %s | %s | %s |\n' "$name" "${target#x86_64-unknown-linux-}" "$crates" "$cpu" "$bytes" | tee -a "$work/rows" >&2
}

for target in "$here" "$musl"; do
    [ -d "$(rustc --print target-libdir --target "$target")" ] || { echo "$target is not installed" >&2; continue; }
    if ! command -v musl-gcc >/dev/null; then export CC_x86_64_unknown_linux_musl="${CC:-cc}"; fi
    row encode "the encoder alone" . encode "$target" ""
    row write "write" . write "$target" write
    row write-tls "write, TLS" . write "$target" write,tls
    row batches "write in batches, TLS" . batches "$target" write,tls
    row query "write and query, TLS, gzip (the defaults)" . query "$target" query,tls,gzip
done
row bare-write "bare: a POST over ureq, TLS" bare write "$here" ""
row bare-query "bare: that, and a query over tonic that arrow-ipc reads, TLS, gzip" bare query "$here" query
row peer "influxdb3-client: write and query, TLS, gzip" peer influxdb3-blocking-sizes-peer "$here" ""

{
    cat <<END
# Sizes of programs, and what they take to build

Written by \`benches/sizes/run.sh\` on $(date -u '+%Y-%m-%d'), with $(rustc -V), influxdb3-client $(sed -n '/^name = "influxdb3-client"$/{n;s/^version = "\(.*\)"$/\1/p}' peer/Cargo.lock).
${NOTE:-}

Every program is built with opt-level "z", LTO, one codegen unit, \`panic = "abort"\`, stripped, each from nothing. CPU seconds are those of all
processes together, on $(nproc) cores of $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -1). Bare programs do the same straight on the same packages: the floor.

| program | libc | crates | CPU seconds, cold | bytes |
|---|---|---|---|---|
END
    cat "$work/rows"
} >RESULTS.md
