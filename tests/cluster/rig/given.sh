# The cluster of a kubeconfig that the user gives in TUNINGSWEEP_TEST_KUBECONFIG (sourced by up and down). It must be one for
# tests: namespaces come and go, and disruptive tests take KubeRay and our operator away for a while.
# shellcheck shell=bash

is_given() { [ -n "${TUNINGSWEEP_TEST_KUBECONFIG-}" ]; }

# A program of that name on PATH, or the one that the rig builds.
program_or_built() { # PROGRAM TOOL
  command -v "$1" && return
  "$RIG_SOURCE/binaries.sh" "$2" >&2
  echo "$(tool_folder "$2")/$1"
}

given_cluster() {
  [ -f "$TUNINGSWEEP_TEST_KUBECONFIG" ] || fail "TUNINGSWEEP_TEST_KUBECONFIG: there is no file $TUNINGSWEEP_TEST_KUBECONFIG"
  [ -n "${TUNINGSWEEP_TEST_IMAGES-}" ] || fail "TUNINGSWEEP_TEST_IMAGES: write the prefix of images that the cluster can \
pull, e.g. registry.example.com/team (then team/tuningsweep-operator:test and team/tuningsweep-trainer:test are used)"
  mkdir -p "$RIG/bin" "$LOG"
  install -m 600 "$TUNINGSWEEP_TEST_KUBECONFIG" "$KUBECONFIG_FILE"
  KUBECTL=$(program_or_built kubectl kubernetes)
  # shellcheck disable=SC2034 # write_env, in up, reads it
  HELM=$(program_or_built helm helm)
  write_env given "" "${TUNINGSWEEP_TEST_HOST_ADDRESS-$(this_hosts_address)}"
  in_cluster kubectl get --raw /readyz >/dev/null || fail "the cluster of TUNINGSWEEP_TEST_KUBECONFIG does not answer"
}

# The address of the interface with the default route: pods of most clusters reach this machine there.
this_hosts_address() { ip -4 -oneline route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p'; }

# KubeRay that is there is used as it is; otherwise its own release is installed from its registry.
install_kuberay_if_absent() {
  if in_cluster kubectl get crd rayjobs.ray.io >/dev/null 2>&1; then
    say "KubeRay is there and left as it is"
    return
  fi
  KUBERAY_IMAGE=${TUNINGSWEEP_TEST_KUBERAY_IMAGE-quay.io/kuberay/operator:$KUBERAY_VERSION}
  "$RIG_SOURCE/binaries.sh" kuberay
  install_kuberay
}

# Our chart goes again; KubeRay stays.
given_down() {
  [ -f "$RIG/env" ] || return 0
  in_cluster helm uninstall tuningsweep --namespace tuningsweep-system --ignore-not-found >"$LOG/down.log" 2>&1 ||
    fail "the chart could not be uninstalled ($LOG/down.log): $(tail -3 "$LOG/down.log")"
  in_cluster kubectl delete namespace tuningsweep-system --ignore-not-found >>"$LOG/down.log" 2>&1
  in_cluster kubectl label namespace kube-system tuningsweep.io/test-cluster- >>"$LOG/down.log" 2>&1
}
