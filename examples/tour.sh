#!/usr/bin/env bash
# Every command of the README's tour, run for real and as it stands there, and what the README says besides. Uses a
# temporary folder and free ports; ends what it starts.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

cargo build -q --locked -p pop-server -p media-ladder
export PATH="${CARGO_TARGET_DIR:-$root/target}/debug:$PATH" # programs of operations are found there, too
tmp=$(mktemp -d)
pids=()
cleanup() {
  for pid in ${pids[@]+"${pids[@]}"}; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" || true
  done
  rm -rf "$tmp"
}
trap cleanup EXIT

# Starts a server with its database and work in a folder of this name; POP_SERVER is its address.
server() { # NAME COMMAND OPTIONS…
  local name=$1 out line
  shift
  mkfifo "$tmp/$name.out"
  pop "$@" --listen 127.0.0.1:0 --database "$tmp/$name.db" >"$tmp/$name.out" 2>"$tmp/$name.log" &
  pids+=($!)
  # Its first line says where it serves; there is one when it does.
  exec {out}<"$tmp/$name.out"
  read -r line <&"$out"
  POP_SERVER=$(grep -o 'http://[0-9.:]*' <<<"$line")
  export POP_SERVER
}
last() { pop list --json | sed 's/.*"id":"\([^"]*\)".*/\1/' | head -n 1; }

# A place like the repository's root, where what the commands write does no harm.
mkdir -p "$tmp/here/examples"
cp -r examples/wordcount "$tmp/here/examples"
cp README.md LICENSE "$tmp/here"
cd "$tmp/here"
cat >recording.json <<'JSON'
{ "name": "small", "workflow": {
  "specification": { "tasks": [
    { "id": "stage", "outputFiles": ["genome"], "parents": [] },
    { "id": "align", "inputFiles": ["genome"], "parents": ["stage"] }] },
  "execution": { "tasks": [
    { "id": "stage", "runtimeInSeconds": 3.5 }, { "id": "align", "runtimeInSeconds": 8 }] } } }
JSON

sed -n '/^```console$/,/^```$/p' README.md | sed -n 's/^\$ //p' >commands
while read -r -u 3 command; do
  echo "-- $command"
  case $command in
    "pop dev &")
      server dev dev --work-dir "$tmp/work"
      continue
      ;;
    "pop rerun "*)
      # The text comes too late.
      late=(pop submit examples/wordcount/wordcount.pop.toml --set text="$PWD/late" --idempotency-key late --watch)
      code=0
      "${late[@]}" >/dev/null 2>&1 || code=$?
      test "$code" = 3
      cp LICENSE late
      ;;
  esac
  eval "${command//ag_…/$(test -z "${POP_SERVER:-}" || last)}" >said 2>&1 </dev/null || { cat said; exit 1; }
  case $command in
    "pop check typo"*)
      sed -n '/^```text$/,/^```$/p' README.md | sed '1d;$d' >promised
      head -n "$(wc -l <promised)" said | diff promised -
      cmp typo.pop.toml examples/wordcount/wordcount.pop.toml
      ;;
    "pop graph "* | "pop run "*wordcount* | "pop list"*) cat said ;;
    "pop rerun "*) "${late[@]}" 2>/dev/null | grep -q '"100 the"' ;;
  esac
done 3<commands
grep -q '^class Client' clients/wordcount.py
cd "$root"

echo "-- what these print is what is committed, and Rust gives the same bytes"
pop schema | cmp - pop-compiler/schema/pop.schema.json
cargo run -q --locked -p wordcount | cmp - <(pop build examples/wordcount/wordcount.pop.toml)

echo "-- handlers: the media ladder's README, as written"
sed -n '/^```sh$/,/^```$/p' examples/media-ladder/README.md | grep -v '^```' >"$tmp/ladder.sh"
bash -euo pipefail "$tmp/ladder.sh"
media-ladder sample "$tmp/clip.pgm"
media-ladder "$POP_SERVER" "$tmp/clip.pgm" "$tmp/published"
test -s "$tmp/published/manifest.json"

echo "-- a server and a pool of their own"
server server server
pop pool --server "$POP_SERVER" --work-dir "$tmp/pool" >"$tmp/pool.log" 2>&1 &
pids+=($!)
pop submit examples/wordcount/wordcount.pop.toml --watch --quiet | grep -q '"100 the"'
echo "the tour is over"
