# Settings and helpers of the scripts in this folder. Bash reads this file; nobody runs it.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
STATE=${POP_CLUSTER_DIR:-/tmp/pop-cluster}                # everything that `down` removes
CACHE=${POP_CLUSTER_CACHE:-$HOME/.cache/pop-cluster}      # built programs, which outlive checkout and cluster

NODE=pop-node
BRIDGE=pop0
PODS=10.244.0.0/16
SERVICES=10.96.0.0/16
DNS=10.96.0.10
API_PORT=16443
ETCD_PORT=12379
DNS_PORT=10053
CONTAINERD=$STATE/containerd/containerd.sock

fail() { echo "pop-cluster: $*" >&2; exit 1; }

# Go is often installed without being on the path.
PATH=$PATH:/usr/local/go/bin

# The address on which the API server and the kubelet listen. Pods cannot reach a loopback address.
address() {
  if [ -n "${POP_CLUSTER_IP:-}" ]; then echo "$POP_CLUSTER_IP"; return; fi
  ip -4 -o addr show scope global | awk -v bridge="$BRIDGE" '$2 != bridge {sub("/.*", "", $4); print $4; exit}'
}

# cached NAME FILE…: the path in the cache of the program NAME that these sources give.
cached() {
  local name=$1 key
  shift
  key=$(cat "$@" | sha256sum | cut -c1-16)
  echo "$CACHE/$key/$name"
}

# Two scripts that change one state folder wait for each other.
lock() { exec 8>"$STATE.lock"; flock 8; }

# alive NAME: whether the process started under this name still runs. A mark in the environment identifies the
# process, so another process with a reused id is never taken for it.
alive() {
  local pid
  pid=$(cat "$STATE/run/$1.pid" 2>/dev/null) || return 1
  grep -qzxF "POP_CLUSTER_PROCESS=$STATE:$1" "/proc/$pid/environ" 2>/dev/null
}

# start NAME COMMAND…: runs the command detached, unless a process of this name runs. Output goes to log/NAME.log.
start() {
  local name=$1
  shift
  alive "$name" || POP_CLUSTER_PROCESS=$STATE:$name setsid --fork sh -c 'echo $$ >"$0"; exec "$@"' \
    "$STATE/run/$name.pid" "$@" </dev/null >>"$STATE/log/$name.log" 2>&1 8>&-
}

# stop NAME [SECONDS]: SIGTERM, then SIGKILL after SECONDS (10).
stop() {
  local name=$1 tries=$((${2:-10} * 10)) pid
  if alive "$name"; then
    pid=$(cat "$STATE/run/$name.pid")
    kill -TERM "$pid" 2>/dev/null || true
    while alive "$name" && [ "$tries" -gt 0 ]; do sleep 0.1; tries=$((tries - 1)); done
    if alive "$name"; then kill -KILL "$pid" 2>/dev/null || true; sleep 0.2; fi
  fi
  rm -f "$STATE/run/$name.pid"
}

# until_done SECONDS NOUN COMMAND…: repeats the command until it succeeds.
until_done() {
  local end=$((SECONDS + $1)) noun=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ $SECONDS -ge $end ]; then
      "$@" >&2 || true
      fail "$noun not there in time. Read the logs in $STATE/log"
    fi
    sleep 0.1
  done
}
