#!/bin/bash
# Writes build/TOOL/go.mod and go.sum from the versions in versions.env. Run by hand after a version there is changed
# (`make cluster-pins`), and the result committed: binaries.sh builds exactly what the committed files pin.
# Recipes that compile the same modules are given the same versions of them (align.py): a cold build compiles them once.
# Usage: pins.sh [TOOL...]
source "$(dirname "$0")/lib.sh"
source "$RIG_SOURCE/go.sh"

# The modules that kubernetes replaces by folders, at the release that belongs to it (v1.34.4 -> v0.34.4).
replace_staging_modules() {
  local folder
  folder=$(go mod download -json "$MODULE@$VERSION" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  sed -n 's|^\t\(k8s\.io/[^ ]*\) => \./staging/.*|\1|p' "$folder/go.mod" | while read -r module; do
    go mod edit -replace="$module=$module@v0${VERSION#v1}"
  done
}

# The versions that the module itself puts in place of others: Go heeds them in the main module alone.
replace_as_upstream() {
  local folder
  folder=$(go mod download -json "$MODULE@$VERSION" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  sed -n 's|^\t\([^ ]*\) => \([^ ]*\) \(v[^ ]*\).*|\1=\2@\3|p' "$folder/go.mod" | while read -r replacement; do
    go mod edit -replace="$replacement"
  done
}

# What kuberay and gitops are made of does not compile with the versions of either.
ALIGNED=("kubernetes etcd prometheus-operator kueue network-policies" "coredns helm prometheus")

pin() {
  local tool=$1 command LIBRARIES=()
  source "$RIG_SOURCE/build/$tool/recipe.sh"
  cd "$RIG_SOURCE/build/$tool"
  rm -f go.mod go.sum
  go mod init "tuningsweep.io/rig/$tool"
  go mod edit -go=1.24.0 # the least that knows -tool; `go get` raises it where a module asks for more
  [ "$tool" != kubernetes ] || replace_staging_modules
  [ "$tool" != gitops ] || replace_as_upstream
  go get "$MODULE@$VERSION" "${LIBRARIES[@]}"
  for command in "${COMMANDS[@]}"; do
    [ "${command#*=}" = . ] || go get -tool "${command#*=}@$VERSION"
  done
  GOFLAGS="$GOFLAGS -mod=mod" go list -deps "${COMMANDS[@]#*=}" >/dev/null
}

[ $# -gt 0 ] || set -- kubernetes etcd kuberay coredns helm prometheus prometheus-operator kind kueue gitops network-policies
for tool in "$@"; do (pin "$tool"); done

cd "$RIG_SOURCE/build"
for tools in "${ALIGNED[@]}"; do
  # shellcheck disable=SC2086 # words
  python3 "$RIG_SOURCE/align.py" $tools
done
