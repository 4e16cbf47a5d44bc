# Starting, watching and ending the processes of the node (sourced). Every one of them lives in the cgroup
# $CGROUP/system, every container below $CGROUP/kubepods: what is in that tree is the rig's, whatever has crashed, so the
# way down needs neither names nor the memory of process ids that may have been given away since.
# shellcheck shell=bash
CGROUP=tuningsweep

# The mounted cgroup hierarchies: one per controller in version 1, the single one in version 2.
cgroup_hierarchies() {
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    echo /sys/fs/cgroup
  else
    awk '$3 == "cgroup" || $3 == "cgroup2" {print $2}' /proc/self/mounts
  fi
}

make_cgroups() {
  local hierarchy folder file
  for hierarchy in $(cgroup_hierarchies); do
    for folder in "$hierarchy/$CGROUP" "$hierarchy/$CGROUP/system"; do
      mkdir -p "$folder"
      for file in cpuset.cpus cpuset.mems; do # version 1 takes no process in before these are set
        [ ! -f "$hierarchy/$file" ] || cat "$hierarchy/$file" >"$folder/$file"
      done
    done
  done
}

remove_cgroups() {
  local hierarchy
  for hierarchy in $(cgroup_hierarchies); do
    [ ! -d "$hierarchy/$CGROUP" ] || find "$hierarchy/$CGROUP" -depth -type d -exec rmdir {} +
  done
}

# Process ids below a cgroup, in all hierarchies.
pids_below() {
  local hierarchy
  for hierarchy in $(cgroup_hierarchies); do
    [ ! -d "$hierarchy/$1" ] || find "$hierarchy/$1" -name cgroup.procs -exec cat {} + 2>/dev/null
  done | sort -un
}

in_netns() { nsenter --net="/run/netns/$NETNS" "$@"; }

# start NAME COMMAND...: run it in the node's network namespace and cgroup, its output in $LOG/NAME.log. They live for
# minutes where memory is plenty, so they collect garbage seldom: it would be a third of their work.
start() {
  local name=$1 hierarchy
  shift
  (
    for hierarchy in $(cgroup_hierarchies); do echo "$BASHPID" >"$hierarchy/$CGROUP/system/cgroup.procs"; done
    GOGC=400 exec nsenter --net="/run/netns/$NETNS" setsid "$@" 9>&-
  ) </dev/null >"$LOG/$name.log" 2>&1 &
  echo $! >"$RIG/pids/$name"
}

pid_of() { cat "$RIG/pids/$1" 2>/dev/null; }

# Alive, and still the process that was started under that id.
is_running() {
  local pid
  pid=$(pid_of "$1") && pids_below "$CGROUP/system" | grep -qx "$pid"
}

# ready_within SECONDS NAME COMMAND...: wait until the command succeeds; NAME is the component that makes it so.
ready_within() {
  local deadline=$((SECONDS + $1)) name=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    is_running "$name" || component_failed "$name" "has ended"
    [ $SECONDS -lt "$deadline" ] || component_failed "$name" "is not ready: \`$*\` does not succeed"
    sleep 0.2
  done
}

component_failed() {
  printf 'rig: %s %s. The end of %s:\n' "$1" "$2" "$LOG/$1.log" >&2
  tail -n 20 "$LOG/$1.log" >&2
  exit 1
}

# stop NAME: SIGTERM, and SIGKILL after five seconds.
stop() {
  local pid
  is_running "$1" || return 0
  pid=$(pid_of "$1")
  kill -TERM "$pid" 2>/dev/null || return 0
  for _ in $(seq 50); do
    [ -d "/proc/$pid" ] || return 0
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
}

# End whatever is left in a cgroup of the rig; a process that forks meanwhile is met in the next round.
kill_below() {
  local pids
  for _ in $(seq 50); do
    pids=$(pids_below "$1")
    [ -n "$pids" ] || return 0
    # shellcheck disable=SC2086
    kill -KILL $pids 2>/dev/null || true
    sleep 0.1
  done
  fail "processes that do not die in cgroup $1: $(pids_below "$1" | tr '\n' ' ')"
}
