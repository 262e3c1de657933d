#!/usr/bin/env bash
# The tests that need a Kubernetes: those of the runtime, whole agendas, and the installation from deploy/.
#
#   tests/cluster/run.sh            in a cluster of this machine, which the script brings up and takes down
#   POP_TEST_KUBECONFIG=FILE tests/cluster/run.sh
#                                   in another cluster, which has the images pop.local/…:test unless POP_CONTAINERD
#                                   names the socket of its containerd
#
# A cluster of this machine that already runs is used, and goes on running. POP_TEST_PROFILE (dist) is the cargo profile
# of the programs in the images.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$HERE/../.."

say() { printf '== %s (%ss)\n' "$*" "$SECONDS"; }

# The version is fixed, so that a new Helm changes no result.
HELM=v4.3.2

if [ -z "${POP_TEST_KUBECONFIG:-}" ]; then
  missing=''
  command -v go >/dev/null || missing="Go was not found"
  [ "$(id -u)" = 0 ] || missing="${missing:+$missing, and }the user is not root"
  command -v apt-get >/dev/null || missing="${missing:+$missing, and }this is not Debian"
  if [ -n "$missing" ]; then
    echo "skipped: $missing. With POP_TEST_KUBECONFIG the tests use a cluster that exists"
    exit 0
  fi
  if alive apiserver; then
    say "the cluster of this machine runs"
  else
    say "a cluster"
    trap '"$HERE/down"' EXIT
  fi
  POP_TEST_KUBECONFIG=$("$HERE/up")
  POP_CONTAINERD=$CONTAINERD
fi
export POP_TEST_KUBECONFIG KUBECONFIG=$POP_TEST_KUBECONFIG
[ ! -x "$STATE/bin/kubectl" ] || PATH=$STATE/bin:$PATH

say images
profile=${POP_TEST_PROFILE:-dist}
deploy/images/build.sh --profile "$profile" --tag test ${POP_CONTAINERD:+--containerd "$POP_CONTAINERD"}
if [ -n "${POP_CONTAINERD:-}" ]; then
  export POP_CONTAINERD
  "$HERE/images/build.sh"
fi

say "the runtime"
cargo test -p pop-server --locked --lib runtime::kubernetes -- --nocapture --test-threads 4

say "whole agendas"
cargo test -p pop-server --locked --test kubernetes -- --nocapture --test-threads 4

say "the installation"
if ! command -v helm >/dev/null; then
  bin=$CACHE/helm-$HELM
  [ -x "$bin/helm" ] || GOBIN=$bin CGO_ENABLED=0 nice -n 10 go install -trimpath -ldflags "-s -w" "helm.sh/helm/v4/cmd/helm@$HELM"
  PATH=$bin:$PATH
fi
if ! python3 -c 'import yaml' 2>/dev/null; then
  apt-get update -qq && apt-get install -qy --no-install-recommends python3-yaml >/dev/null
fi
POP=$(deploy/images/build.sh --profile "$profile" --where)/pop "$HERE/deploy.sh"
say "done"
