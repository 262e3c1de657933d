#!/usr/bin/env bash
# Builds the images of the tests and imports them into a containerd: pop.local/busybox:test (and :1, the name that the
# cluster itself uses) and pop.local/pop-handler:test. POP_CONTAINERD names another socket than the test cluster's.
. "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
socket=${POP_CONTAINERD:-$CONTAINERD}
image() { "$HERE/../../deploy/images/image" "$@" --containerd "$socket"; }

"$HERE/images/busybox" "$scratch/busybox"
image pop.local/busybox:1 "$scratch/busybox"
image pop.local/busybox:test "$scratch/busybox"

program=$(cached pop-handler "$HERE"/images/pop-handler/*)
if [ ! -x "$program" ]; then
  command -v go >/dev/null || fail "could not build pop-handler: Go not found. Install Go 1.24 or newer"
  mkdir -p "$(dirname "$program")"
  (cd "$HERE/images/pop-handler" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$program" .)
fi
mkdir "$scratch/pop-handler"
cp "$program" "$scratch/pop-handler/pop-handler"
image pop.local/pop-handler:test "$scratch/pop-handler" --user 65532 --entrypoint /pop-handler
