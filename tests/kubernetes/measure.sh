#!/usr/bin/env bash
# Measures what POP adds to pods, and prints the figures. POP_TEST_KUBECONFIG names a cluster with the images of
# tests/cluster; its node is this machine. POP is the program to measure (target/debug/pop).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export KUBECONFIG=${POP_TEST_KUBECONFIG:?set POP_TEST_KUBECONFIG to a kubeconfig}
POP=${POP:-target/debug/pop}
NAMESPACE=e2e-measure-$$
IMAGE=pop.local/busybox:1
SHIM=${POP_SHIM_IMAGE:-pop.local/pop-shim:test}
folder=$(mktemp -d)
server='' agent=''
finish() {
  [ -z "$agent" ] || kill "$agent" 2>/dev/null || true
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  kubectl delete namespace "$NAMESPACE" --wait=false >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap finish EXIT

kubectl create namespace "$NAMESPACE" >/dev/null
kubectl wait --for=create serviceaccount/default -n "$NAMESPACE" --timeout=60s >/dev/null

"$POP" server --listen 127.0.0.1:0 --database "$folder/pop.db" >"$folder/server" 2>"$folder/server.log" &
server=$!
until address=$(grep -om1 'http://[0-9.:]*' "$folder/server"); do sleep 0.1; done
# The log has each call to the API server, with its time.
RUST_LOG=info,kube_client=debug "$POP" pool --runtime kubernetes --server "$address" --name measure \
  --namespace "$NAMESPACE" --shim-image "$SHIM" --report-listen 0.0.0.0:0 --work-dir "$folder/agent" \
  >/dev/null 2>"$folder/agent.log" &
agent=$!

# agenda chain|fan NUMBER: one-second operations. Each tells when the first process of its container began, in seconds
# since the machine's start.
agenda() {
  python3 - "$@" "$IMAGE" <<'PY'
import json, sys
shape, number, image = sys.argv[1], int(sys.argv[2]), sys.argv[3]
script = "sleep 1; awk '{ print $22 / 100 }' /proc/1/stat"
operations = [{"name": f"o{i}", "type": "t", "payload": {}} for i in range(number)]
if shape == "chain":
    for i in range(1, number):
        operations[i]["params"] = {"dependsOn": f"o{i - 1}"}
types = {"t": {"image": image, "command": ["sh", "-c", script], "stdout": "json"}}
print(json.dumps({"params": {"pop.types": types}, "operations": operations}))
PY
}

# run SHAPE NUMBER: runs the agenda, and prints its figures.
run() {
  local shape=$1 number=$2 id
  agenda "$shape" "$number" >"$folder/agenda.json"
  local from
  from=$(wc -l <"$folder/agent.log")
  "$POP" submit "$folder/agenda.json" --server "$address" --watch --quiet >"$folder/outputs" 2>"$folder/id"
  id=$("$POP" list --server "$address" --limit 1 | grep -om1 'ag_[0-9a-f]*')
  kubectl wait --for=delete pods --all -n "$NAMESPACE" --timeout=120s >/dev/null
  "$POP" get "$id" --json --server "$address" >"$folder/view"
  curl -sN "$address/v1/agendas/$id/events" >"$folder/events"
  tail -n "+$((from + 1))" "$folder/agent.log" >"$folder/calls"
  python3 - "$shape" "$number" "$folder" <<'PY'
import datetime, json, re, sys, time
shape, number, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
seconds = lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
events = [json.loads(line[5:]) for line in open(f"{folder}/events") if line.startswith("data:") and "seq" in line]
calls = []
for line in open(f"{folder}/calls"):
    line = re.sub(r"\x1b\[[0-9;]*m", "", line)
    call = re.search(r"^(\S+).*http\.method=(\w+) .*http\.url=(\S+)", line)
    if call and "requesting" in line:
        calls.append((seconds(call[1]), call[2], call[3]))
view = {}
for event in events:
    operation = event.get("operation")
    if operation:
        view.setdefault(operation["name"], {}).setdefault(operation["state"], (seconds(event["at"]), operation))
begin, end = seconds(events[0]["at"]), seconds(events[-1]["at"])
def quantiles(values):
    values = sorted(values)
    at = lambda q: values[min(len(values) - 1, int(q * len(values)))]
    return f"p50 {at(0.5) * 1000:.0f} ms, p99 {at(0.99) * 1000:.0f} ms, n {len(values)}"
print(f"{shape} of {number}: {end - begin:.1f} s end to end")
posts = sorted(at for at, method, url in calls if method == "POST" and url.split("?")[0].endswith("/pods"))
if shape == "chain":
    ready = sorted(times["succeeded"][0] for times in view.values())[:-1]
    print(f"  dependency committed until POST: {quantiles([post - at for at, post in zip(ready, posts[1:])])}")
else:
    print(f"  submitted until POST, all at once: {quantiles([post - begin for post in posts])}")
writes = [(method, url) for _, method, url in calls if method != "GET" and "/namespaces/" in url]
kinds = {}
for method, _ in writes:
    kinds[method] = kinds.get(method, 0) + 1
reads = sum(method == "GET" for _, method, _ in calls)
print(f"  writes of the agent for each operation: {len(writes) / number:.2f} {kinds}; reads: {reads}")
boot = time.time() - float(open("/proc/uptime").read().split()[0])
started = {o["name"]: boot + float(o["output"]) for o in json.load(open(f"{folder}/view"))["operations"]}
words = [times["executing"][0] - started[name] for name, times in view.items()]
print(f"  begin of the container until the first word of its shim is stored: {quantiles(words)}")
PY
}

# since NANOSECONDS: the seconds since then.
since() { awk -v from="$1" -v to="$(date +%s%N)" 'BEGIN { printf "%.1f", (to - from) / 1e9 }'; }

# bare_chain, bare_fan NUMBER: seconds from the creation of a pod of the same program without POP until its end.
bare_chain() {
  local from i
  from=$(date +%s%N)
  for i in $(seq "$1"); do
    kubectl run "bare-$i" -n "$NAMESPACE" --image "$IMAGE" --restart Never --command -- sleep 1 >/dev/null
    kubectl wait "pod/bare-$i" -n "$NAMESPACE" --for=jsonpath='{.status.phase}'=Succeeded --timeout=120s >/dev/null
  done
  echo "$1 pods with kubectl run, one after another: $(since "$from") s"
  kubectl delete pods --all -n "$NAMESPACE" --grace-period=1 >/dev/null
}
bare_fan() {
  local from i
  kubectl run bare -n "$NAMESPACE" --image "$IMAGE" --restart Never --dry-run=client -o json --command -- sleep 1 |
    python3 -c 'import copy, json, sys
pod = json.load(sys.stdin)
pods = []
for i in range(int(sys.argv[1])):
    pods.append(copy.deepcopy(pod)); pods[-1]["metadata"]["name"] = f"bare-{i}"
print(json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))' "$1" >"$folder/pods.json"
  from=$(date +%s%N)
  kubectl create -n "$NAMESPACE" -f "$folder/pods.json" >/dev/null
  kubectl wait pods --all -n "$NAMESPACE" --for=jsonpath='{.status.phase}'=Succeeded --timeout=600s >/dev/null
  echo "$1 pods of one manifest, all at once: $(since "$from") s"
  kubectl delete pods --all -n "$NAMESPACE" --grace-period=1 >/dev/null
}

uptime
bare_chain 20
run chain 20
bare_fan 100
run fan 100
