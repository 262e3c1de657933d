#!/usr/bin/env bash
# One client of examples/media-ladder against a real `pop dev`: its README's commands as written, then a run that fails
# and one that Ctrl-C cancels.
#
#   ladder.sh Rust|TypeScript|Python
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
bin="${CARGO_TARGET_DIR:-$root/target}/debug"
cd "$root/examples/media-ladder/clients"

scratch=$(mktemp -d)
dev_pid=
cleanup() {
  if [ -n "$dev_pid" ]; then
    kill "$dev_pid" 2>/dev/null || true
    wait "$dev_pid" || true
  fi
  rm -rf "$scratch" clip.pgm published
}
trap cleanup EXIT
fail() {
  echo "$*" >&2
  exit 1
}

case $1 in
  Rust) client=("$bin/media-ladder-client") ;;
  TypeScript) client=(node typescript/build/submit.js) ;;
  Python) client=(python/.venv/bin/python python/submit.py) ;;
esac
cargo build -q --locked -p media-ladder -p media-ladder-client -p pop-server
export PATH="$bin:$PATH"
pop dev --listen 127.0.0.1:0 --database "$scratch/pop.db" --work-dir "$scratch/work" >"$scratch/dev.out" 2>"$scratch/dev.log" &
dev_pid=$!
for _ in $(seq 100); do
  grep -q 'http://' "$scratch/dev.out" && break
  sleep 0.1
done
POP_SERVER=$(grep -o 'http://[0-9.:]*' "$scratch/dev.out")
export POP_SERVER

# As the README says.
media-ladder sample clip.pgm
sed -n "/^\*\*$1\*\*/,/^\*\*/p" README.md | sed -n '/^```sh$/,/^```$/p' | grep -v '^```' >"$scratch/commands.sh"
test -s "$scratch/commands.sh"
bash -euo pipefail "$scratch/commands.sh" | tee "$scratch/said"
for words in 'submitted ag_' '  encode.2  succeeded  picture 24 of 24' '100 %  publish  succeeded  3 of 3 files' '24 pictures in 3 sizes' "published: $PWD/published/manifest.json"; do
  grep -qF "$words" "$scratch/said" || fail "it does not say \`$words\`"
done
for file in manifest.json 36p.pgm 24p.pgm 18p.pgm; do test -s "published/$file"; done

# What fails is told with its place.
code=0
"${client[@]}" "$POP_SERVER" nowhere.pgm published 2>"$scratch/said" >/dev/null || code=$?
grep -q '^operation `probe` (examples/media-ladder/media.pop.toml:[0-9]*:[0-9]*) failed: can.t read .*nowhere.pgm' "$scratch/said" || fail "$(cat "$scratch/said")"
[ "$code" = 3 ] || fail "it ends with $code when the run has failed"

# Ctrl-C while pictures are made.
media-ladder sample clip.pgm 4000
set -m # otherwise what runs beside this script does not hear of Ctrl-C
coproc run { exec "${client[@]}" "$POP_SERVER" clip.pgm published 2>&1; }
pid=$run_PID
while read -r line <&"${run[0]}"; do
  case $line in
    *" encode."*"  executing  picture "*) kill -INT "$pid" && break ;;
  esac
done
last=$(tail -n 1 <&"${run[0]}")
code=0
wait "$pid" || code=$?
[ "$last/$code" = cancelled/4 ] || fail "it ends with $code, and says \`$last\`"
echo "$1: the README's commands, a failure and a cancel"
