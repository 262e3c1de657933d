#!/usr/bin/env bash
# The same graph in POP and in the workflow languages that PyPI has, checked and compiled in one run, into RESULTS.md.
#
#   benches/peers/run.sh              10 to 5,000 operations; about a quarter of an hour
#   benches/peers/run.sh --quick      10 and 100 operations, printed instead of written
#
# Needs Rust, Python 3.9 or newer with venv, and PyPI. Not part of .ci/run: installing the peers alone may take most of a
# minute, and what it shows are other people's programs.
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=target/peers/venv
if ! cmp -s benches/peers/requirements.txt "$venv/installed.txt"; then
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r benches/peers/requirements.txt
  cp benches/peers/requirements.txt "$venv/installed.txt"
fi
cargo=${CARGO:-cargo}
$cargo build --quiet --release -p pop-compiler --bin popc
exec "$venv/bin/python" benches/peers/compare.py "$@"
