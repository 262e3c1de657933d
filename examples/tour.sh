#!/usr/bin/env bash
# Every command of the README's tour, run for real. Uses a temporary folder and a free port; ends what it starts.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build -q --locked -p pop-server
pop() { ./target/debug/pop "$@"; }
tmp=$(mktemp -d)
dev_pid=
cleanup() {
  if [ -n "$dev_pid" ]; then
    kill "$dev_pid" 2>/dev/null || true
    wait "$dev_pid" || true
  fi
  rm -rf "$tmp"
}
trap cleanup EXIT

echo "-- check, graph, build, explain"
pop check examples/wordcount/wordcount.pop.toml examples/wordcount/wordcount.pop.json
pop graph examples/wordcount/wordcount.pop.toml
pop graph examples/wordcount/wordcount.pop.toml --format mermaid >"$tmp/graph.mmd"
pop build examples/wordcount/wordcount.pop.toml -o "$tmp"
pop explain type-mismatch >/dev/null

echo "-- formats, formatting, differences, schema"
pop check examples/wordcount --format sarif >"$tmp/findings.sarif"
pop fmt --check examples/wordcount
pop diff examples/wordcount/wordcount.pop.toml examples/wordcount/wordcount.pop.json
pop schema >"$tmp/pop.schema.json"
cmp "$tmp/pop.schema.json" pop-compiler/schema/pop.schema.json

echo "-- run"
pop run examples/wordcount/wordcount.pop.toml --set text=README.md --set top=3

echo "-- Rust gives the same bytes"
cargo run -q --locked -p wordcount >"$tmp/rust.json"
cmp "$tmp/rust.json" "$tmp/wordcount.template.json"

echo "-- dev, submit, list, logs"
# Not through the function: the process id must be the server's own.
./target/debug/pop dev --listen 127.0.0.1:0 --database "$tmp/pop.db" --work-dir "$tmp/work" >"$tmp/dev.out" 2>"$tmp/dev.log" &
dev_pid=$!
for _ in $(seq 100); do
  grep -q 'http://' "$tmp/dev.out" && break
  sleep 0.1
done
POP_SERVER=$(grep -o 'http://[0-9.:]*' "$tmp/dev.out")
export POP_SERVER
pop submit examples/wordcount/wordcount.pop.toml --watch >"$tmp/result.json" 2>"$tmp/watch.log"
pop list
id=$(pop list --json | sed 's/.*"id":"\([^"]*\)".*/\1/' | head -n 1)
pop get "$id" >/dev/null
pop logs "$id" >/dev/null

echo "-- import, and replay at speed"
if [ -n "${POP_DATA:-}" ]; then
  pop import wfcommons "$POP_DATA/workflows/helloworld-chain-5-chameleon.json" -o "$tmp/chain.pop.toml"
  pop run "$tmp/chain.pop.toml" --time-scale 0.001 >/dev/null
else
  echo "skipped: POP_DATA is not set"
fi
echo "the tour is over"
