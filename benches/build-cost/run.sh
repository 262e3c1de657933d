#!/usr/bin/env bash
# What a large `workflow!` adds to the build of a crate: paired builds of a generated crate with and without it, in CPU
# seconds (user and system) of the build of that crate alone. Its dependencies are built before.
#
#   benches/build-cost/run.sh [ROUNDS]        prints a table; fails when a goal is missed
#   CARGO=…                                   another cargo
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
rounds=${1:-5}
cargo=${CARGO:-cargo}
crate=target/build-cost
mkdir -p "$crate/src"

cat > "$crate/Cargo.toml" <<END
[package]
name = "build-cost"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
pop-sdk = { path = "$root/pop-sdk", default-features = false, features = ["macros"] }
schemars = "1.2"
serde = { version = "1", features = ["derive"] }
END
cp Cargo.lock "$crate/Cargo.lock"

# A crate with a workflow of $1 operations: each third one starts a chain, the others take up what came before.
source_of() {
  cat <<'END'
//! Generated.
#![allow(dead_code)]
use pop_sdk::{operation, workflow};

#[operation("media.probe", output = Probed)]
#[derive(schemars::JsonSchema)]
pub struct Probe {
    pub url: String,
}
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Probed {
    pub duration: f64,
    pub title: String,
}
#[operation("media.encode", output = Encoded)]
#[derive(schemars::JsonSchema)]
pub struct Encode {
    pub source: String,
    pub height: u32,
    pub duration: f64,
}
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Encoded {
    pub file: String,
}
END
  [ "$1" = 0 ] && return
  echo 'workflow! {'
  echo '    pub large(source: String) -> String {'
  awk -v n="$1" 'BEGIN {
    print "        let op0 = Probe { url: source };"
    for (i = 1; i < n; i++) {
      if (i % 3 == 0) printf "        let op%d = Probe { url: \"{op%d.file}/%d\" };\n", i, i - 1, i
      else if (i % 3 == 1) printf "        let op%d = Encode { source, height: %d, duration: op%d.duration } with { retry: 3, timeout: \"2h\" };\n", i, i, i - 1
      else printf "        let op%d = Encode { source: op%d.file, height: 720, duration: op%d.duration };\n", i, i - 1, i - 2
    }
    last = n - 1
    while (last % 3 == 0) last--
    printf "        op%d.file\n    }\n}\n", last
  }'
}

# CPU seconds of one build of a crate with $1 operations.
build() {
  source_of "$1" > "$crate/src/lib.rs"
  TIMEFORMAT='%U %S'
  { time "$cargo" build --quiet --manifest-path "$crate/Cargo.toml" --target-dir "$crate/target" >&3 2>&4; } 3>&1 4>&2 2>&1 |
    awk '{ print $1 + $2 }'
}

median() { sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }

build 3 > /dev/null
sizes="1000 5000"
declare -A cost
for round in $(seq "$rounds"); do
  # Neighbours in time are compared, so that what else the machine does hits both alike.
  for size in $sizes; do
    without=$(build 0)
    with=$(build "$size")
    cost[$size]+="$(awk -v a="$with" -v b="$without" 'BEGIN { print a - b }') $without $with"$'\n'
  done
done

printf '%10s %10s %10s %10s %8s\n' operations without with added goal
failed=0
for size in $sizes; do
  added=$(printf '%s' "${cost[$size]}" | cut -d' ' -f1 | median)
  without=$(printf '%s' "${cost[$size]}" | cut -d' ' -f2 | median)
  with=$(printf '%s' "${cost[$size]}" | cut -d' ' -f3 | median)
  goal=$(awk -v n="$size" 'BEGIN { print n * 0.3 / 1000 }')
  printf '%10s %9.2fs %9.2fs %9.2fs %7.1fs\n' "$size" "$without" "$with" "$added" "$goal"
  awk -v a="$added" -v g="$goal" 'BEGIN { exit a > g }' || failed=1
done
exit $failed
