#!/bin/bash
# Builds the programs of the test cluster from pinned Go modules, once per pin: $CACHE/bin/TOOL-HASH/. Prints nothing
# about what is there already. Usage: binaries.sh [TOOL...]   (default: all)
# Sourced by others for TOOLS and tool_folder.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

TOOLS=(kubernetes etcd kuberay coredns helm pause prometheus prometheus-operator kueue network-policies gitops)

# The folder of one tool's programs: its name holds the version and a hash of the recipe.
tool_folder() {
  local recipe=$RIG_SOURCE/build/$1 version
  version=$(source "$recipe/recipe.sh" && echo "$VERSION")
  echo "$CACHE/bin/$1-$version-$(cd "$recipe" && digest .)"
}

# Nobody debugs these: no DWARF, which takes a tenth of the compiler's time, and less collecting of its garbage.
export GOGC=400
NO_DWARF=-gcflags=all=-dwarf=false

build_tool() {
  local tool=$1 folder output
  folder=$(tool_folder "$tool")
  source "$RIG_SOURCE/build/$tool/recipe.sh"
  [[ $MODULE == tuningsweep.io/* ]] || grep -qE "^(require )?\s*$MODULE $VERSION( |\$)" "$RIG_SOURCE/build/$tool/go.mod" ||
    fail "build/$tool/go.mod does not pin $MODULE $VERSION: run \`make cluster-pins\` and commit the result"
  cd "$RIG_SOURCE/build/$tool"
  mkdir -p "$folder"
  output=$folder/${COMMANDS[0]%%=*}
  [ ${#COMMANDS[@]} = 1 ] || output=$folder/ # built at once, since linking keeps one core busy; each is named as its package
  go build -mod=readonly -trimpath "$NO_DWARF" -tags "${TAGS-}" -ldflags "-s -w $LDFLAGS" -o "$output" "${COMMANDS[@]#*=}"
  [ -z "${MANIFESTS-}" ] || cp -r --no-preserve=mode "$(go list -m -f '{{.Dir}}' "$MODULE")/$MANIFESTS" "$folder/"
  mark_done "$folder"
}

main() {
  local tool missing=()
  [ $# -gt 0 ] || set -- "${TOOLS[@]}"
  for tool in "$@"; do is_done "$(tool_folder "$tool")" || missing+=("$tool"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  source "$RIG_SOURCE/go.sh"
  for tool in "${missing[@]}"; do
    timed "building $tool" -- build_tool_apart "$tool"
  done
}

build_tool_apart() { (build_tool "$1"); }

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$@"
