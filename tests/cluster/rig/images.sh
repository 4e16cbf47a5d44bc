#!/bin/bash
# Builds the images of the test cluster with buildah into OCI layouts, $CACHE/oci/NAME, skipping those whose inputs are
# unchanged, and prints the sizes. The machine's CA bundle is mounted during the build and left out of the images.
# Usage: images.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$RIG_SOURCE/binaries.sh"
source "$RIG_SOURCE/packages.sh"
source "$RIG_SOURCE/storage-conf.sh"
source "$RIG_SOURCE/base-image.sh"

OCI=$CACHE/oci
PAUSE_IMAGE=localhost/pause:v1
KUBERAY_IMAGE=localhost/kuberay-operator:$KUBERAY_VERSION
PROMETHEUS_IMAGE=localhost/prometheus:$PROMETHEUS_VERSION
PROMETHEUS_OPERATOR_IMAGE=localhost/prometheus-operator:$PROMETHEUS_OPERATOR_VERSION
CONFIG_RELOADER_IMAGE=localhost/prometheus-config-reloader:$PROMETHEUS_OPERATOR_VERSION
KUEUE_IMAGE=localhost/kueue:$KUEUE_VERSION
OPERATOR_IMAGE=localhost/tuningsweep-operator:test
TRAINER_IMAGE=localhost/tuningsweep-trainer:test
CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt

# export_image REFERENCE: write the image to its OCI layout. Layers stay uncompressed, so that one that is there already
# is recognised by its digest and not written again.
export_image() {
  local layout
  layout=$OCI/$(basename "${1%:*}")
  mkdir -p "$OCI"
  skopeo copy --quiet --dest-oci-accept-uncompressed-layers "containers-storage:$1" "oci:$layout:$1"
  python3 "$RIG_SOURCE/oci_layout.py" prune "$layout" "$1"
}

# unless_unchanged NAME INPUTS-HASH COMMAND...: run it if the stamp of NAME holds another hash.
unless_unchanged() {
  local stamp=$OCI/$1.inputs
  [ "$(cat "$stamp" 2>/dev/null)" != "$2" ] || return 0
  "${@:3}"
  mkdir -p "$OCI"
  echo "$2" >"$stamp"
}

# single_program REFERENCE PROGRAM PATH-IN-IMAGE: an image of one static program and nothing else.
single_program() {
  local container
  container=$(buildah from scratch)
  buildah copy --quiet "$container" "$2" "$3" >/dev/null
  buildah config --user 65532:65532 --entrypoint "[\"$3\"]" --cmd '' "$container"
  buildah commit --quiet --rm "$container" "$1" >/dev/null
  export_image "$1"
}

build_project_images() {
  local target arguments=(--build-arg "BASE_IMAGE=$(base_image)")
  arguments+=(--build-arg "UV_VERSION=$UV_VERSION" --build-arg "HATCHLING_VERSION=$HATCHLING_VERSION")
  [ ! -f "$CA_BUNDLE" ] || arguments+=(-v "$CA_BUNDLE:$CA_BUNDLE:ro")
  for target in operator trainer; do
    buildah build --layers --target "$target" "${arguments[@]}" -t "localhost/tuningsweep-$target:test" "$CHECKOUT" \
      >"$CACHE/build-$target.log" 2>&1 || fail "building $target failed ($CACHE/build-$target.log): $(tail -5 "$CACHE/build-$target.log")"
    export_image "localhost/tuningsweep-$target:test"
  done
}

project_inputs() {
  (cd "$CHECKOUT" && digest Dockerfile .dockerignore versions.env uv.lock pyproject.toml {api,operator,trainer}/{pyproject.toml,src} \
    tests/cluster/rig/base-image.sh)
}

# Where their programs are in an image is the Prometheus Operator's choice.
build_prometheus_images() {
  local folder
  folder=$(tool_folder prometheus)
  unless_unchanged prometheus "$folder" single_program "$PROMETHEUS_IMAGE" "$folder/prometheus" /bin/prometheus
  folder=$(tool_folder prometheus-operator)
  unless_unchanged prometheus-operator "$folder" \
    single_program "$PROMETHEUS_OPERATOR_IMAGE" "$folder/operator" /bin/operator
  unless_unchanged prometheus-config-reloader "$folder" \
    single_program "$CONFIG_RELOADER_IMAGE" "$folder/prometheus-config-reloader" /bin/prometheus-config-reloader
}

build_images() {
  local target
  need "${IMAGE_PROGRAMS[@]}"
  unless_unchanged pause "$(tool_folder pause)" single_program "$PAUSE_IMAGE" "$(tool_folder pause)/pause" /pause
  unless_unchanged kuberay-operator "$(tool_folder kuberay)" \
    single_program "$KUBERAY_IMAGE" "$(tool_folder kuberay)/kuberay-operator" /manager
  unless_unchanged kueue "$(tool_folder kueue)" single_program "$KUEUE_IMAGE" "$(tool_folder kueue)/kueue" /manager
  build_prometheus_images
  ensure_base_image
  unless_unchanged tuningsweep-base "$(base_image)" export_image "$(base_image)"
  unless_unchanged tuningsweep "$(project_inputs)" timed "building both images" -- build_project_images
  for target in operator trainer; do python3 "$RIG_SOURCE/oci_layout.py" size "$OCI/tuningsweep-$target"; done
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  lock
  "$RIG_SOURCE/binaries.sh" pause kuberay prometheus prometheus-operator kueue
  build_images
fi
