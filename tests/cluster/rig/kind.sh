# The cluster where a Docker engine answers (sourced by up.sh, down.sh): kind makes it, the rest is as with the node.
# shellcheck shell=bash
KIND_CLUSTER=tuningsweep

has_docker() { command -v docker >/dev/null && docker info >/dev/null 2>&1; }
kind_program() { command -v kind || echo "$(tool_folder kind)/kind"; }
has_kind_cluster() { has_docker && docker inspect "$KIND_CLUSTER-control-plane" >/dev/null 2>&1; }

# The IPv4 address under which pods reach this host.
kind_gateway() {
  docker network inspect kind --format '{{range .IPAM.Config}}{{println .Gateway}}{{end}}' | grep -m1 -E '^[0-9.]+$'
}

# docker_single_program REFERENCE TOOL PROGRAM PATH-IN-IMAGE: as single_program of images.sh.
docker_single_program() {
  printf 'FROM scratch\nCOPY %s %s\nUSER 65532:65532\nENTRYPOINT ["%s"]\n' "$3" "$4" "$4" |
    docker build --quiet -f - -t "$1" "$(tool_folder "$2")"
}

build_with_docker() {
  local target
  for target in operator trainer; do
    docker build --quiet --target "$target" --build-arg "BASE_IMAGE=$BASE_IMAGE" --build-arg "UV_VERSION=$UV_VERSION" \
      --build-arg "HATCHLING_VERSION=$HATCHLING_VERSION" -t "localhost/tuningsweep-$target:test" "$CHECKOUT"
  done
  docker_single_program "$KUBERAY_IMAGE" kuberay kuberay-operator /manager
  docker_single_program "$KUEUE_IMAGE" kueue kueue /manager
  docker_single_program "$PROMETHEUS_IMAGE" prometheus prometheus /bin/prometheus
  docker_single_program "$PROMETHEUS_OPERATOR_IMAGE" prometheus-operator operator /bin/operator
  docker_single_program "$CONFIG_RELOADER_IMAGE" prometheus-operator prometheus-config-reloader /bin/prometheus-config-reloader
  docker image ls --format 'rig: image {{.Repository}}: {{.Size}}' 'localhost/tuningsweep-*:test'
}

kind_cluster() {
  local tools=(kuberay helm prometheus prometheus-operator kueue)
  command -v kind >/dev/null || tools+=(kind)
  command -v kubectl >/dev/null || tools+=(kubernetes)
  "$RIG_SOURCE/binaries.sh" "${tools[@]}"
  KUBECTL=$(command -v kubectl || echo "$(tool_folder kubernetes)/kubectl")
  mkdir -p "$LOG"
  timed "building the images" -- build_with_docker
  has_kind_cluster || timed "creating the kind cluster" -- "$(kind_program)" create cluster --name "$KIND_CLUSTER" \
    --image "$KIND_NODE_IMAGE" --kubeconfig "$KUBECONFIG_FILE" --wait 120s
  write_env kind "" "$(kind_gateway)"
  timed "loading the images" -- "$(kind_program)" load docker-image --name "$KIND_CLUSTER" \
    "$KUBERAY_IMAGE" "$KUEUE_IMAGE" "$OPERATOR_IMAGE" "$TRAINER_IMAGE" \
    "$PROMETHEUS_IMAGE" "$PROMETHEUS_OPERATOR_IMAGE" "$CONFIG_RELOADER_IMAGE"
}

kind_down() { "$(kind_program)" delete cluster --name "$KIND_CLUSTER"; }
