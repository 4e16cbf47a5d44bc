# Brings the images into the cluster (sourced by up.sh). CHANGED holds the names of those that were not there yet.
# shellcheck shell=bash
CHANGED=()

# import_image NAME LAYOUT: import the image without the layers whose digests come on standard input.
import_image() {
  local archive=$CACHE/load-$1.tar status=0
  python3 "$RIG_SOURCE/oci_layout.py" pack "$2" >"$archive"
  ctr_pods images import "$archive" >"$LOG/load-$1.log" 2>&1 || status=$?
  rm "$archive"
  return "$status"
}

# load_image LAYOUT: containerd gets the blobs it lacks; nothing, if it has this very image. Its garbage collector may take
# away an old image's snapshots while a new one with the same layers is unpacked: then once more, with every layer.
load_image() {
  local name digest reference
  name=$(basename "$1")
  read -r digest reference < <(python3 "$RIG_SOURCE/oci_layout.py" describe "$1")
  ctr_pods images list "name==$reference" | grep -q " $digest " && return 0
  if ! ctr_pods content list --quiet | import_image "$name" "$1"; then
    say "importing $name again, with every layer"
    ctr_pods images remove --sync "$reference" >/dev/null
    import_image "$name" "$1" </dev/null || fail "importing $name: $(tail -3 "$LOG/load-$name.log")"
  fi
  CHANGED+=("$name")
}

load_images() {
  local layout
  for layout in "$OCI"/{tuningsweep-{base,operator,trainer},kuberay-operator,kueue,prometheus,prometheus-{operator,config-reloader}}; do
    load_image "$layout"
  done
}
