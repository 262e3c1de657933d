#!/usr/bin/env bash
# The generated clients, checked by the tools of their own languages and taken through a real `pop dev`.
#
# Beside the clients of all workflows there are, those of POP_RANDOM_CLIENTS (200) random ones are checked, made from
# POP_RANDOM_SEED (1): one run of each tool. Then each reads random outputs, and writes them again.
#
# Needs Node.js 20 with npm and Python 3.11; where apt-get can, it fetches them, and otherwise what needs them is skipped.
# npm ci and pip take exactly what the lock files name.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"

say() { printf '%s\n' "$*"; }
has_node() { command -v npm >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)" -ge 20 ]; }
has_python() { python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if { ! has_node || ! has_python; } && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update -q && apt-get install -qy nodejs npm python3 python3-venv || true
fi

artifact() { # the file of a library that cargo has checked, by its name
  python3 -c '
import json, sys
rows = map(json.loads, sys.stdin)
files = [r["filenames"][0] for r in rows if r["reason"] == "compiler-artifact" and r["target"]["name"] == sys.argv[1]]
print(files[-1])' "$1"
}

if ! has_python; then
  say "skipped: Python 3.11 with venv is not here, and all checks need it"
  exit 0
fi
cargo build -q --locked -p pop-server --bin pop
pop="${CARGO_TARGET_DIR:-$root/target}/debug/pop"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Clients of every workflow there is: the corpus, and one that is called and described as badly as can be.
corpus() {
  "$pop" client tests/workflows/*.pop.toml "$here/hostile.template.json" --lang "$1" -o "$scratch/$1/flows" 2>/dev/null
}

cargo run -q --locked -p pop-compiler --example random-clients -- \
  "$scratch" "${POP_RANDOM_CLIENTS:-200}" "${POP_RANDOM_SEED:-1}"

say "== Rust"
sdk=$(cargo check -q --locked -p pop-sdk --message-format=json | artifact pop_sdk)
rust() { # PROGRAM FILE OPTIONS…
  local program=$1 file=$2
  shift 2
  "$program" --edition 2024 --emit=metadata --out-dir "$scratch" --extern "pop_sdk=$sdk" \
    -L "dependency=$(dirname "$sdk")" "$@" "$file"
}
for file in "$here"/rust/wrong/*.rs; do
  rust rustc "$file" --error-format=json 2>>"$scratch/rustc.json" && say "$file compiles" || true
done
python3 "$here/wrong.py" "$here/rust/wrong" rustc <"$scratch/rustc.json"
corpus rust
printf '%s\n' '#[path = "flows/mod.rs"]' 'mod flows;' '#[path = "chance/mod.rs"]' 'mod chance;' 'fn main() {}' >"$scratch/rust/main.rs"
for file in "$here/rust/right/calls.rs" "$scratch/rust/main.rs"; do
  rust clippy-driver "$file" -D warnings -D clippy::all
done
say "right calls and the clients of the corpus and of random workflows: no warning of rustc or clippy"
built=$(cargo build -q --locked -p pop-sdk --message-format=json | artifact pop_sdk)
python3 "$here/rust/values.py" "$scratch/cases.json" >"$scratch/rust/values.rs"
rustc --edition 2024 -C debuginfo=0 --out-dir "$scratch" --extern "pop_sdk=$built" \
  -L "dependency=$(dirname "$built")/deps" "$scratch/rust/values.rs"
"$scratch/values" "$scratch/cases.json"
"$here/ladder.sh" Rust
sed -n 's/^\(pop client .*\)/\1 --check/p' examples/media-ladder/clients/README.md >"$scratch/generate.sh"
test -s "$scratch/generate.sh"
PATH="$(dirname "$pop"):$PATH" bash -euo pipefail "$scratch/generate.sh"
say "the media ladder's clients are what its README generates"

if ! has_node; then
  say "skipped: Node.js 20 with npm is not here, and the checks of TypeScript and Python need it"
  exit 0
fi

say "== TypeScript"
cd "$here/typescript"
npm ci --silent --ignore-scripts --no-audit --no-fund
bin="$here/typescript/node_modules/.bin"
"$bin/tsc" -p .
"$bin/tsc" --ignoreConfig --noEmit --strict --target es2022 --module nodenext --lib es2022,dom --types "" flows/*.ts
{ "$bin/tsc" --pretty false -p tsconfig.wrong.json || true; } | python3 "$here/wrong.py" wrong tsc
(cd "$root" && corpus typescript)
sed 's#"right/\*.ts", "round-trip.ts"#"chance/*.ts", "values.ts"#' tsconfig.json >"$scratch/typescript/tsconfig.json"
cp package.json "$scratch/typescript"
ln -s "$here/typescript/node_modules" "$scratch/typescript/node_modules"
cp values.ts "$scratch/typescript"
"$bin/tsc" -p "$scratch/typescript"
say "right calls and the clients of the corpus and of random workflows: no error of tsc --strict"
node "$scratch/typescript/build/values.js" "$scratch/cases.json" "$scratch/typescript/build/chance"
POP_BIN="$pop" node build/round-trip.js
"$here/ladder.sh" TypeScript # which has its own strict tsconfig.json

say "== Python"
cd "$here/python"
[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/pip install -q --disable-pip-version-check --no-deps -r requirements.txt
"$bin/pyright" -p . >/dev/null || { "$bin/pyright" -p .; exit 1; }
{ "$bin/pyright" -p pyrightconfig.wrong.json --outputjson || true; } | python3 "$here/wrong.py" wrong pyright
(cd "$root" && corpus python)
sed "s#\"venvPath\": \".\"#\"venvPath\": \"$here/python\"#; s#\"right\", \"round_trip.py\"#\"chance\"#" pyrightconfig.json >"$scratch/python/pyrightconfig.json"
"$bin/pyright" -p "$scratch/python" >"$scratch/pyright.txt" || { cat "$scratch/pyright.txt"; exit 1; }
(cd "$scratch/python" && for module in flows/*.py chance/*.py; do
  module=${module%.py} && say "import ${module//\//.}"
done >all.py && "$here/python/.venv/bin/python" all.py)
for folder in "$here/python" "$scratch/python"; do
  (cd "$folder" && "$here/python/.venv/bin/mypy" --strict --python-version 3.11 --no-error-summary flows $(ls -d chance right 2>/dev/null))
done
say "right calls and the clients of the corpus and of random workflows: no error of pyright or mypy, both strict"
(cd "$scratch/python" && "$here/python/.venv/bin/python" "$here/python/values.py" "$scratch/cases.json")
POP_BIN="$pop" .venv/bin/python round_trip.py
"$here/ladder.sh" Python
"$bin/pyright" -p "$root/examples/media-ladder/clients/python" >"$scratch/pyright.txt" || { cat "$scratch/pyright.txt"; exit 1; }
