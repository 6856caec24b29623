#!/usr/bin/env bash
# Installs the Python client with what its write_file needs, outside of the clone, and prints what PYTHON must be.
set -euo pipefail
venv="${XDG_CACHE_HOME:-$HOME/.cache}/influxdb3-blocking/bench-python"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet influxdb3-python pandas pyarrow
echo "$venv/bin/python"
