# Brings the images into the cluster (sourced by up.sh). CHANGED holds the names of those that were not there yet.
# shellcheck shell=bash
CHANGED=()

# load_image LAYOUT: containerd gets the blobs it lacks; nothing, if it has this very image.
load_image() {
  local name digest reference
  name=$(basename "$1")
  read -r digest reference < <(python3 "$RIG_SOURCE/oci_layout.py" describe "$1")
  ctr_pods images list "name==$reference" | grep -q " $digest " && return 0
  ctr_pods content list --quiet | python3 "$RIG_SOURCE/oci_layout.py" pack "$1" >"$CACHE/load-$name.tar"
  ctr_pods images import "$CACHE/load-$name.tar" >"$LOG/load-$name.log" 2>&1 || fail "importing $name: $(tail -3 "$LOG/load-$name.log")"
  rm "$CACHE/load-$name.tar"
  CHANGED+=("$name")
}

load_images() {
  local layout
  for layout in "$OCI"/{tuningsweep-base,kuberay-operator,tuningsweep-operator,tuningsweep-trainer}; do
    load_image "$layout"
  done
}
