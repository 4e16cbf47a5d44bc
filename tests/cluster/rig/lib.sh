# Shared by every script of the rig (sourced, never run): where things are, how to say things, how to key the cache.
# shellcheck shell=bash
set -Eeuo pipefail
trap 'printf "rig: %s, line %s: \`%s\` failed\n" "${BASH_SOURCE[0]}" "$LINENO" "$BASH_COMMAND" >&2' ERR

RIG_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CHECKOUT=$(cd "$RIG_SOURCE/../../.." && pwd)
# shellcheck source=../../../versions.env
source "$CHECKOUT/versions.env"

CACHE=${TUNINGSWEEP_CACHE:-$HOME/.cache/tuningsweep}
RIG=${TUNINGSWEEP_RIG:-$CACHE/rig${TUNINGSWEEP_TEST_KUBECONFIG:+-given}}
LOG=$RIG/log
KUBECONFIG_FILE=$RIG/kubeconfig
NETNS=tuningsweep
EXIT_NOT_POSSIBLE=3 # no Docker and not root on Linux: `make test` leaves the cluster tests out when it sees this

say() { printf 'rig: %s\n' "$*"; }
fail() {
  printf 'rig: %s\n' "$*" >&2
  exit 1
}

# digest PATH...: one hash over names and contents of files and folders, whatever order the file system lists them in.
# Relative paths, so that every checkout of the same content shares the cache.
digest() {
  find "$@" -type f -not -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-12
}

# One run at a time touches the cache and the cluster. The lock ends with the script: what it starts gets no copy of it.
lock() {
  mkdir -p "$CACHE"
  exec 9>"$CACHE/lock"
  flock 9
}

# timed WORDS... -- COMMAND...: run the command and say how long it took.
timed() {
  local words=() started=$SECONDS
  while [ "$1" != -- ]; do words+=("$1") && shift; done
  shift
  "$@"
  say "${words[*]}: $((SECONDS - started)) s"
}

# Folders of built artifacts hold a file `done` once they are whole; a run that was cut short starts afresh.
is_done() { [ -f "$1/done" ]; }
mark_done() { touch "$1/done"; }
