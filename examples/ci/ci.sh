#!/usr/bin/env bash
# What CI does in a repository of workflows. Ends with 0 when a change may be merged; needs nothing but `popc`.
#
#   ./ci.sh             check everything
#   ./ci.sh release     take the workflows as they are for the released ones
#
# POPC: the compiler, `popc` on the PATH otherwise. ALLOW_BREAKING=1: a change that breaks clients may be merged.
set -euo pipefail
cd "$(dirname "$0")"
POPC=${POPC:-popc}

if [ "${1:-}" = release ]; then
  rm -f release/*.template.json
  "$POPC" build flows -o release
  exit
fi

# Beside the lines in a pull request, as text elsewhere.
format=text
if [ "${GITHUB_ACTIONS:-}" = true ]; then format=github; fi

echo "-- written as it should be"
"$POPC" fmt --check flows
"$POPC" fmt --check ops/*.toml

echo "-- right, warnings included"
"$POPC" check flows --format "$format" --deny warnings

echo "-- built: agendas/ is what flows/ compile to"
"$POPC" build flows -o agendas --check || {
  echo "run: $POPC build flows -o agendas" >&2
  exit 1
}

echo "-- clients: those of each language are what flows/ generate"
for folder in clients/*/; do
  lang=$(basename "$folder")
  "$POPC" client flows --lang "$lang" -o "clients/$lang" --check || {
    echo "run: $POPC client flows --lang $lang -o clients/$lang" >&2
    exit 1
  }
done

echo "-- what it means for those who use the last release"
worst=0
for old in release/*.template.json; do
  new=flows/$(basename "$old" .template.json).pop.toml
  if ! [ -e "$new" ]; then
    echo "breaking: $old was released, and there is no $new any more"
    worst=12
    continue
  fi
  echo "$new"
  code=0
  "$POPC" diff "$old" "$new" || code=$?
  case $code in
    0 | 10 | 11 | 12) if [ "$code" -gt "$worst" ]; then worst=$code; fi ;;
    *) exit "$code" ;; # it could not be compared
  esac
done
case $worst in
  0) echo "=> compatible" ;;
  10) echo "=> clients must be regenerated" ;;
  11) echo "=> results must be recomputed" ;;
  12)
    echo "=> breaking"
    if [ "${ALLOW_BREAKING:-}" != 1 ]; then exit 12; fi
    ;;
esac
