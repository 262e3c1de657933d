#!/usr/bin/env bash
# Builds the static programs `pop` and `pop-shim` and puts each into an image FROM scratch. Needs Rust, a C compiler and
# Python 3.11, but no container engine. Each image runs as user 65532 and needs no writable file system.
#
#   deploy/images/build.sh [OPTION…]
#
#   --prefix NAME         registry and path before the images' names (pop.local)
#   --tag TAG             tag of the images (the workspace's version)
#   --out FOLDER          folder of the archives (target/images)
#   --containerd SOCKET   also import the images into this containerd
#   --profile NAME        cargo profile of the programs (dist)
#   --where               only print the folder of the programs
#
# The archives are in the format of `docker save`: `docker load -i`, `podman load -i` and `ctr -n k8s.io images import`
# read them.
set -euo pipefail
self=$(realpath "$0")
cd "$(dirname "$0")/../.."

prefix=pop.local tag='' out=target/images socket='' profile=dist where=no
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) prefix=$2; shift 2 ;;
    --tag) tag=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    --containerd) socket=$2; shift 2 ;;
    --profile) profile=$2; shift 2 ;;
    --where) where=yes; shift ;;
    *)
      sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$self" >&2
      exit 2
      ;;
  esac
done
[ -n "$tag" ] || tag=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml)

target=$(uname -m)-unknown-linux-gnu
folder=$profile
[ "$profile" != dev ] || folder=debug
programs=${CARGO_TARGET_DIR:-target}/$target/$folder
if [ $where = yes ]; then
  realpath "$programs"
  exit 0
fi

# With --target, these flags apply to the programs and not to build scripts and macros.
RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static" \
  cargo build --locked --profile "$profile" --target "$target" -p pop-server --bins

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for name in pop pop-shim; do
  if ! grep -q "^name = \"$name\"" pop-server/Cargo.toml; then
    echo "skipped: pop-server has no program $name" >&2
    continue
  fi
  # A program that needs a loader and libraries would not start FROM scratch.
  if ldd "$programs/$name" 2>/dev/null | grep -q '=>'; then
    echo "error: $programs/$name is not static. Check RUSTFLAGS and the target" >&2
    exit 1
  fi
  mkdir "$scratch/$name"
  install -m 755 "$programs/$name" "$scratch/$name/$name"
  deploy/images/image "$prefix/$name:$tag" "$scratch/$name" --user 65532 --entrypoint "/$name" \
    --archive "$out/$name.tar" ${socket:+--containerd "$socket"}
done
