#!/usr/bin/env bash
# Instructions a point of every contender (or of those named), which do not depend on how busy the machine is.
set -euo pipefail
cd "$(dirname "$0")"
cargo build --release --quiet --bin encode 2>/dev/null
program="${CARGO_TARGET_DIR:-target}/release/encode"
contenders=("$@")
if [ ${#contenders[@]} -eq 0 ]; then mapfile -t contenders < <("$program" list); fi
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for shape in sensor wide text; do
    echo "$shape"
    for contender in "${contenders[@]}"; do
        # The difference between two batches and one: what happens only once is not counted.
        count() {
            valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no \
                --toggle-collect='*timed_section*' "$program" run "$contender" "$shape" "$1" 2>&1 >/dev/null |
                sed -n 's/.*Collected *: *\([0-9]*\).*/\1/p'
        }
        one=$(count 1)
        two=$(count 2)
        printf '  %-16s %6d instructions a point\n' "$contender" $(((two - one) / 1000))
    done
done
