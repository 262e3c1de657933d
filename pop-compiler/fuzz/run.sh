#!/usr/bin/env bash
# Runs every fuzz target, one after the other. First argument: seconds for each (default 60); further ones: which targets.
# Wants a nightly compiler and cargo-fuzz. Whatever is found lies in `artifacts/`; fix it, and put it into `seeds/`.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-60}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  targets=(toml_source json_source references types agenda_json fmt fix)
fi
tests=../../tests

# A seed: a file, and behind `#### name` the files that it names.
seed() { # file, where to
  local file=$1 folder
  folder=$(dirname "$file")
  cat "$file"
  grep -oE '"(ops|\.)/[A-Za-z0-9_./-]+"' "$file" | tr -d '"' | sort -u | while read -r name; do
    if [ -f "$folder/$name" ]; then
      printf '\n#### %s\n' "$name"
      cat "$folder/$name"
    fi
  done || true
}

fill() { # target
  local target=$1 to=corpus/$1 file
  mkdir -p "$to"
  [ -d "seeds/$target" ] && cp -n seeds/"$target"/* "$to"/ 2>/dev/null || true
  for file in "$tests"/workflows/*.pop.* "$tests"/faults/*.pop.* "$tests"/faults-many/*.pop.*; do
    case $target:$file in
      toml_source:*.toml | json_source:*.json | fmt:* | fix:*) seed "$file" >"$to/$(basename "$(dirname "$file")")-$(basename "$file")" ;;
      agenda_json:*) ;;
      types:*.toml) grep -ohE '"[^"]*[<{|?][^"]*"' "$file" | tr -d '"' | head -c 300 >"$to/$(basename "$file")" || true ;;
      references:*.toml) head -c 1500 "$file" >"$to/$(basename "$file")" ;;
    esac
  done
  if [ "$target" = agenda_json ]; then
    for file in "$tests"/snapshots/*.snap; do
      awk 'n >= 2 { print } /^---$/ { n++ }' "$file" >"$to/$(basename "$file" .snap)"
      grep -q '"operations": \[' "$to/$(basename "$file" .snap)" || rm "$to/$(basename "$file" .snap)"
    done
  fi
  find "$to" -size 0 -delete
}

host=$(rustc -vV | sed -n 's/^host: //p')
"${CARGO:-cargo}" +nightly fuzz build --sanitizer none --fuzz-dir . >&2
failed=0
for target in "${targets[@]}"; do
  fill "$target"
  mkdir -p "artifacts/$target"
  echo "== $target, $seconds s"
  "target/$host/release/$target" "corpus/$target" "-artifact_prefix=artifacts/$target/" -dict=words.dict \
    -max_total_time="$seconds" -max_len=8192 -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 || failed=1
done
exit $failed
