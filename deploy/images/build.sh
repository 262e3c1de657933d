#!/usr/bin/env bash
# Builds the static programs `pop` and `pop-shim` and puts each into an image FROM scratch. Needs Rust, a C compiler and
# Python 3.11, but no container engine. Each image runs as user 65532 and needs no writable file system.
#
#   deploy/images/build.sh                          images as archives in target/images
#   deploy/images/build.sh --tag test --containerd SOCKET
#
# The archives are in the format of `docker save`: `docker load -i`, `podman load -i` and `ctr -n k8s.io images import`
# read them.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() { sed -n '2,9s/^# \{0,1\}//p' deploy/images/build.sh; exit "$1"; }

prefix=pop.local tag='' out=target/images socket=''
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) prefix=$2; shift 2 ;;       # registry and path of the images' names
    --tag) tag=$2; shift 2 ;;             # default: the workspace's version
    --out) out=$2; shift 2 ;;             # folder of the archives
    --containerd) socket=$2; shift 2 ;;   # also import the images there
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
  esac
done
[ -n "$tag" ] || tag=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml)

target=$(uname -m)-unknown-linux-gnu
# With --target, these flags apply to the programs and not to build scripts and macros.
RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static" \
  cargo build --locked --profile dist --target "$target" -p pop-server --bins
programs=${CARGO_TARGET_DIR:-target}/$target/dist

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for name in pop pop-shim; do
  # A program of another architecture, or one that needs a loader, would start in no image.
  if ! grep -q "^name = \"$name\"" pop-server/Cargo.toml; then
    echo "skipped: pop-server has no program $name" >&2
    continue
  fi
  if ldd "$programs/$name" 2>/dev/null | grep -q '=>'; then
    echo "error: $programs/$name is not static. Check RUSTFLAGS and the target" >&2
    exit 1
  fi
  mkdir "$scratch/$name"
  install -m 755 "$programs/$name" "$scratch/$name/$name"
  deploy/images/image "$prefix/$name:$tag" "$scratch/$name" --user 65532 --entrypoint "/$name" \
    --archive "$out/$name.tar" ${socket:+--containerd "$socket"}
done
