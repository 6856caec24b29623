#!/usr/bin/env bash
# Builds the command influx3 as docs/cli.md says it can be had, and measures it beside the Python client:
# python/cli.py tells what. It takes 6 GB of disk, and 8 GB of memory for what the peers hold. `BUILDS="NAME=PATH ..."`
# measures what is there already.
set -euo pipefail
cd "$(dirname "$0")"
python="${PYTHON:-$(bash python/install.sh)}"
musl="x86_64-unknown-linux-musl"
target="${CARGO_TARGET_DIR:-$PWD/target}/cli"
# build NAME DIR ARGUMENT...: a build of its own folder, as all have the same name
build() {
    local name="$1" dir="$2"
    shift 2
    CARGO_TARGET_DIR="$target" cargo build --quiet --locked --manifest-path ../Cargo.toml --bin influx3 "$@" >&2
    mkdir -p "$target/builds/$name"
    cp "$target/$dir/influx3" "$target/builds/$name/"
    echo "$name=$target/builds/$name/influx3"
}

if [ -z "${BUILDS:-}" ]; then
    builds="$(build release release --release --features cli)"
    builds+=" $(build small small --profile small --features cli)"
    builds+=" $(build small-text small --profile small --features cli-text)"
    if [ -d "$(rustc --print target-libdir --target "$musl")" ] && command -v musl-gcc >/dev/null; then
        builds+=" $(build static "$musl/small" --profile small --features cli --target "$musl")"
        builds+=" $(build static-text "$musl/small" --profile small --features cli-text --target "$musl")"
    else
        echo "there is no $musl or no musl-gcc: no static build is measured" >&2
    fi
    BUILDS="$builds"
fi
read -ra builds <<<"$BUILDS"
"$python" python/cli.py "${builds[@]}"
