#!/usr/bin/env bash
# Installs POP from deploy/ into the cluster of KUBECONFIG, runs a workflow there, and removes POP without a trace: with
# kustomize for a laptop and for a company, then with Helm. The namespaces pop, pop-acme, pop-globex and pop-helm must not
# exist.
#
# The images pop.local/{pop,pop-shim,busybox,pop-handler}:test are in the cluster, kubectl and helm on the path, and the
# program of the command line in POP.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$HERE/../.."

pop=${POP:?name the program pop}
scratch=$(mktemp -d)
forward='' volume=''
clean_up() {
  [ -z "$forward" ] || kill "$forward" 2>/dev/null || true
  # Only after a failure is anything left: namespaces that this script created.
  for namespace in ${created:-}; do kubectl delete namespace "$namespace" --ignore-not-found --timeout=120s >/dev/null || true; done
  [ -z "$volume" ] || kubectl delete persistentvolume "$volume" --ignore-not-found >/dev/null || true
  rm -rf "$scratch"
}
trap clean_up EXIT

say() { printf 'deploy: %s (%ss)\n' "$*" "$SECONDS"; }

# What exists before the test stays after the test.
refuse() {
  created=''
  fail "the namespace $1 exists: this test would remove it"
}

created="pop pop-acme pop-globex pop-helm"
for namespace in $created; do
  ! kubectl get namespace "$namespace" >/dev/null 2>&1 || refuse "$namespace"
done

# local_volume NAMESPACE: a volume for the server's claim, where the cluster has no class of storage. Only the test
# cluster runs on this machine.
local_volume() {
  [ -z "$(kubectl get storageclass -o name)" ] || return 0
  [ "$(kubectl get nodes -o name)" = "node/$NODE" ] || fail "no class of storage: the server's claim would wait for ever"
  volume=pop-test-$1
  mkdir -p "$STATE/volumes/$volume"
  kubectl apply -f - >/dev/null <<YAML
apiVersion: v1
kind: PersistentVolume
metadata: {name: $volume}
spec:
  capacity: {storage: 50Gi}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  claimRef: {namespace: $1, name: data-pop-server-0}
  local: {path: $STATE/volumes/$volume}
  nodeAffinity:
    required:
      nodeSelectorTerms:
      - matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [$NODE]}]
YAML
}

remove_volume() {
  [ -n "$volume" ] || return 0
  kubectl delete persistentvolume "$volume" >/dev/null
  rm -rf "$STATE/volumes/$volume"
  volume=''
}

# ready NAMESPACE [POOL…]: waits for the server and for these pools (pop-pool).
ready() {
  local namespace=$1 pool
  shift
  kubectl -n "$namespace" rollout status statefulset/pop-server --timeout=120s >/dev/null
  for pool in "${@:-pop-pool}"; do
    kubectl -n "$namespace" rollout status "deployment/$pool" --timeout=120s >/dev/null
  done
}

# connect NAMESPACE: sets POP_SERVER to a forwarded port of the server.
connect() {
  [ -z "$forward" ] || kill "$forward" 2>/dev/null || true
  # The new process opens its file at a moment of its own, so the lines of the old one go first.
  rm -f "$scratch/forward"
  kubectl -n "$1" port-forward service/pop-server :7070 >"$scratch/forward" 2>&1 &
  forward=$!
  until_done 20 "forwarded port" grep -q '^Forwarding from 127.0.0.1' "$scratch/forward"
  POP_SERVER=http://$(sed -n 's/^Forwarding from \(127.0.0.1:[0-9]*\).*/\1/p' "$scratch/forward")
  export POP_SERVER
}

# put PATH JSON: creates or changes something in the server.
put() {
  python3 - "$POP_SERVER/v1/$1" "$2" <<'PYTHON'
import sys, urllib.request
address, body = sys.argv[1:]
request = urllib.request.Request(address, body.encode(), {"content-type": "application/json"}, method="PUT")
urllib.request.urlopen(request, timeout=30).read()
PYTHON
}

# rules ACCOUNT NAMESPACE: what the account may do, a line `resource:verbs` for each.
rules() {
  kubectl auth can-i --list --no-headers --as "system:serviceaccount:$1" -n "$2" \
    | sed -n 's/^\([a-z/.]*\)  *\[\] *\[\] *\[\(.*\)\]$/\1:\2/p' | sort
}

# rights ACCOUNT NAMESPACE [RULE…]: the account has exactly these rules, besides those that each account has.
rights() {
  local account=$1 namespace=$2 has want=''
  shift 2
  has=$(comm -13 <(rules "$namespace:nobody" "$namespace") <(rules "$account" "$namespace"))
  [ $# = 0 ] || want=$(printf '%s\n' "$@" | sort)
  [ "$has" = "$want" ] || fail "rights of $account in $namespace: \`$has\`. Expected: \`$want\`"
}
AGENT=("pods:create get list watch patch delete" "pods/log:get" "secrets:create delete" "events:get list")
HANDLER=("pods:get patch")

# customer NAME: creates a customer with a pool of its own.
customer() {
  put "pools/$1" '{"id": "'"$1"'"}'
  put "insights/$1" '{"id": "'"$1"'", "pool": "'"$1"'", "mappers": {"any": []}}'
  put "customers/$1" '{"id": "'"$1"'", "pool": "'"$1"'"}'
}

# works NAMESPACE [CUSTOMER]: a workflow runs in pods, and the server keeps its agendas over a restart.
works() {
  local result id customer=${2:-default}
  connect "$1"
  result=$(timeout 120 "$pop" submit tests/cluster/words.pop.toml --customer "$customer" --watch --quiet | tr -d ' \n')
  [ "$result" = '{"total":10}' ] || fail "the workflow gave \`$result\`, expected a total of 10"
  say "the workflow gave $result"
  id=$("$pop" list | awk '{print $1; exit}')
  kubectl -n "$1" delete pod pop-server-0 >/dev/null
  kubectl -n "$1" rollout status statefulset/pop-server --timeout=120s >/dev/null
  connect "$1"
  "$pop" get "$id" >/dev/null
  say "the agenda $id is there after a restart of the server"
}

# empty NAMESPACE: fails if the namespace holds more than what Kubernetes itself puts there, and the server's claim.
empty() {
  local kind left=''
  for kind in $(kubectl api-resources --namespaced --verbs=list,delete -o name); do
    left+=$(kubectl -n "$1" get "$kind" --ignore-not-found -o name 2>/dev/null | grep -vE \
      '^(event(\.events\.k8s\.io)?/.*|configmap/kube-root-ca\.crt|serviceaccount/default|persistentvolumeclaim/data-pop-server-0)$' || true)
  done
  [ -z "$left" ] || fail "left in the namespace $1: $left"
}

gone() { ! kubectl get namespace "$1" >/dev/null 2>&1; }
pods_gone() { [ -z "$(kubectl -n "$1" get pods -o name)" ]; }

say "kustomize and Helm make the same objects"
cp -r deploy/kustomize "$scratch/kustomize"
overlays=$scratch/kustomize/overlays
rm -rf "$overlays"/laptop/tls "$overlays"/company/*/agent/tls
deploy/report-tls.sh "$overlays/laptop/tls" pop-pool.pop.svc
for customer in acme globex; do
  deploy/report-tls.sh "$overlays/company/$customer/agent/tls" "pop-pool-$customer.pop.svc"
done
helm lint --strict --quiet deploy/helm/pop
for name in laptop company; do
  helm lint --strict --quiet deploy/helm/pop -f "deploy/helm/pop/examples/$name.yaml"
  kubectl kustomize "$overlays/$name" >"$scratch/kustomize.yaml"
  helm template pop deploy/helm/pop -n pop -f "deploy/helm/pop/examples/$name.yaml" >"$scratch/helm.yaml"
  deploy/same.py "$scratch/kustomize.yaml" "$scratch/helm.yaml" pop
done

# The chart refuses values that would give a broken installation.
refuses() {
  if helm template pop deploy/helm/pop "$@" >/dev/null 2>"$scratch/refusal"; then fail "the chart accepts $*"; fi
}
refuses --set image.tag=latest
refuses --set pools[0].name=a,pools[1].name=b
refuses --set pools[0].name=a,pools[0].namespace=x,pools[1].name=a
refuses --set pools[0].name=a,pools[0].createNamespace=true
refuses --set sever.storage.size=1Gi

say "kubectl apply -k, for a laptop"
mkdir "$overlays/test"
cat >"$overlays/test/kustomization.yaml" <<'YAML'
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../laptop]
images: [{name: pop.local/pop, newTag: test}]
YAML
sed -i 's#POP_SLOTS=8#&\n  - POP_SHIM_IMAGE=pop.local/pop-shim:test#' "$overlays/laptop/kustomization.yaml"
local_volume pop
kubectl apply -k "$overlays/test" >/dev/null
ready pop
rights pop:pop-pool pop "${AGENT[@]}"
rights pop:pop-handler pop "${HANDLER[@]}"
rights pop:pop-server pop
rights pop:pop-pool default
say "ready, with exactly the rights that are meant"
works pop
say "kubectl delete -k"
kubectl delete -k "$overlays/test" --timeout=120s >/dev/null
until_done 60 "end of the namespace" gone pop
remove_volume

say "kubectl apply -k, for a company"
cat >"$overlays/test/kustomization.yaml" <<'YAML'
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../company]
images: [{name: registry.example.com/pop, newName: pop.local/pop, newTag: test}]
patches:
# A small machine runs other tests, too.
- target: {kind: StatefulSet}
  patch: |
    - {op: replace, path: /spec/template/spec/containers/0/resources/requests, value: {cpu: 10m, memory: 64Mi}}
YAML
sed -i 's#registry.example.com/pop-shim:.*#pop.local/pop-shim:test#; s#=registry.example.com/#=pop.local/#' "$overlays"/company/*/agent/kustomization.yaml
local_volume pop
kubectl apply -k "$overlays/test" >/dev/null
kubectl -n pop rollout status statefulset/pop-server --timeout=120s >/dev/null
connect pop
customer acme
customer globex
# An agent ends while its pool does not exist, so the agents' next starts count.
ready pop pop-pool-acme pop-pool-globex
for customer in acme globex; do
  rights "pop:pop-pool-$customer" "pop-$customer" "${AGENT[@]}"
  rights "pop-$customer:pop-handler" "pop-$customer" "${HANDLER[@]}"
  rights "pop:pop-pool-$customer" pop
done
rights pop:pop-pool-acme pop-globex
say "ready, with exactly the rights that are meant"
works pop acme
kubectl delete -k "$overlays/test" --timeout=120s >/dev/null
for namespace in pop pop-acme pop-globex; do until_done 60 "end of the namespace" gone $namespace; done
remove_volume

say "helm install"
local_volume pop-helm
helm install pop deploy/helm/pop -n pop-helm --create-namespace -f deploy/helm/pop/examples/laptop.yaml \
  --set image.tag=test --set shimImage.tag=test --wait --timeout 120s >/dev/null
ready pop-helm
rights pop-helm:pop-pool pop-helm "${AGENT[@]}"
rights pop-helm:pop-handler pop-helm "${HANDLER[@]}"
say ready
works pop-helm
helm upgrade pop deploy/helm/pop -n pop-helm --reuse-values --set poolDefaults.slots=9 --wait --timeout 120s >/dev/null
say "helm upgrade; helm uninstall"
helm uninstall pop -n pop-helm --wait --timeout 120s >/dev/null
until_done 90 "end of the pods" pods_gone pop-helm
empty pop-helm
kubectl delete namespace pop-helm --timeout=120s >/dev/null
remove_volume
created=''
[ -z "$(kubectl get clusterroles,clusterrolebindings,validatingwebhookconfigurations,mutatingwebhookconfigurations \
  -o name | grep -E '/pop(-|$)')" ] || fail "left in the cluster: objects named pop"
say "nothing is left"
