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
#   --profile NAME        cargo profile of `pop` (dist); `pop-shim` has a profile of its own
#   --where               only print the folder of `pop`
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
# folder PROFILE: where cargo puts the programs of a profile.
folder() { echo "${CARGO_TARGET_DIR:-target}/$target/${1/#dev/debug}"; }
if [ $where = yes ]; then
  realpath "$(folder "$profile")"
  exit 0
fi

# With --target, these flags apply to the programs and not to build scripts and macros.
export RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static"
build() { cargo build --locked --target "$target" -p pop-server "$@"; }
build --profile "$profile" --bin pop
# The shim goes into every pod: no relocations, no tables for unwinding, equal functions once.
small='-C relocation-model=static -C force-unwind-tables=no -C link-arg=-Wl,--icf=all'
RUSTFLAGS="$RUSTFLAGS $small" build --profile shim --no-default-features --bin pop-shim
size=$(stat -c %s "$(folder shim)/pop-shim")
if [ "$size" -ge 4000000 ]; then
  echo "error: pop-shim has $size bytes, over the limit of 4000000. Find out what the last change brought in" >&2
  exit 1
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for program in "$(folder "$profile")/pop" "$(folder shim)/pop-shim"; do
  name=${program##*/}
  # A program that needs a loader and libraries would not start FROM scratch.
  if ldd "$program" 2>/dev/null | grep -q '=>'; then
    echo "error: $program is not static. Check RUSTFLAGS and the target" >&2
    exit 1
  fi
  mkdir "$scratch/$name"
  install -m 755 "$program" "$scratch/$name/$name"
  deploy/images/image "$prefix/$name:$tag" "$scratch/$name" --user 65532 --entrypoint "/$name" \
    --archive "$out/$name.tar" ${socket:+--containerd "$socket"}
done
