#!/usr/bin/env bash
# Builds all benches, runs one after the other, and writes RESULTS.md: on a machine that does nothing else, in about eight
# minutes after the build.
#
# PYTHON names a Python that has influxdb3-python (python/install.sh installs one, unless PYTHON is set; empty leaves it out).
# FRAMES=yes builds the data frames as well, which takes long. BUILD=no takes the programs as they are, of the commit COMMIT.
# NOTE is a sentence about the conditions.
set -euo pipefail
cd "$(dirname "$0")"
features=()
if [ "${FRAMES:-no}" = yes ]; then features=(--features frames); fi
if [ "${BUILD:-yes}" = yes ]; then cargo build --locked --release --bins "${features[@]}"; fi
programs="${CARGO_TARGET_DIR:-target}/release"
PYTHON="${PYTHON-$(bash python/install.sh)}"
if [ -n "$PYTHON" ]; then export PYTHON; else unset PYTHON; fi

version() { sed -n "/^name = \"$1\"$/{n;s/^version = \"\(.*\)\"$/\1/p}" Cargo.lock | paste -sd ' ' | sed 's/ / and /g'; }
python_version() { "$PYTHON" -c "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))" "$1"; }
load() { cut -d ' ' -f 1 /proc/loadavg; }

# What the programs print is kept until all have ended.
out="$(mktemp -d)"
trap 'rm -rf "$out"' EXIT
before="$(load)"
# run TITLE PROGRAM WORDS...
run() {
    local title="$1" program="$2" start="$SECONDS"
    shift 2
    echo "$title" >&2
    {
        printf '\n## %s\n\n' "$title"
        printf '`%s`\n' "cargo run --release --bin $program${*:+ -- $*}"
        "$programs/$program" "$@"
    } >>"$out/tables"
    echo "  $((SECONDS - start)) s, load $(load)" >&2
}

run "Encoding" encode
run "Batching" batching
run "Batching, a point that comes alone" batching latency
run "Batching, an outage" batching outage
run "Durable writes" batching durable
run "The spool" spool
run "Tables and files" files
run "Queries" query
run "Small queries, and queries over a slow link" query latency
run "Rows" query rows

{
    cat <<END
# Results of the benches

Written by \`benches/run_all.sh\`, which runs all of this again. Client, server and peers share the machine, so ratios say more
than figures. Contenders take turns; "best" is the best turn of each, and "times as fast" the median of the ratios of turns
in the same round, which a load that comes and goes does not change much. The command of a row measures that row (and what
it is compared with) alone; it begins with \`cargo run --release --bin\`, and words of its own stand behind \`--\`. Bounds stand beside the
peers: \`memcpy\` of the same lines, the digits of the same numbers alone, a plain socket that carries the same bytes, and arrays
of Arrow as they are.

| | |
|---|---|
| date | $(date -u '+%Y-%m-%d %H:%M UTC') |
| machine | $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -1), $(nproc) cores, $(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo) GiB, Linux $(uname -r | cut -d - -f 1) |
| load, one minute's average | $before before, $(load) after |
| conditions | ${NOTE:-nothing else was running} |
| compiler | $(rustc -V), opt-level 3, no LTO |
| this crate | $(version influxdb3-blocking), commit ${COMMIT:-$(git rev-parse --short HEAD)} |
| influxdb3-client, the async client | $(version influxdb3-client) |
| questdb-rs | $(version questdb-rs) |
| influxdb-line-protocol, the builder | $(version influxdb-line-protocol) |
| arrow-array, tonic, tokio | $(version arrow-array), $(version tonic), $(version tokio) |
| zmij, itoa | $(version zmij), $(version itoa) |
END
    if [ -n "${PYTHON:-}" ]; then
        echo "| Python, influxdb3-python, pyarrow | $("$PYTHON" -V | cut -d ' ' -f 2), $(python_version influxdb3-python), $(python_version pyarrow) |"
    fi
    printf '\nSizes of programs and what they take to build stand in [sizes/RESULTS.md](sizes/RESULTS.md).\n'
    cat "$out/tables"
} >"$out/RESULTS.md"
mv "$out/RESULTS.md" RESULTS.md
