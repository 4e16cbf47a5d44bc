# Installs KubeRay from the manifests of its own Go module (sourced by up.sh), in the namespace kuberay-system.
# shellcheck shell=bash

# The operator's CPU limit of 100m is lifted, at which it takes seconds over one RayJob, and it is asked sooner than after
# ten seconds whether it is ready.
write_kuberay_overlay() {
  mkdir -p "$RIG/kuberay/overlay"
  cp -r "$(tool_folder kuberay)/config" "$RIG/kuberay/"
  cat >"$RIG/kuberay/overlay/kustomization.yaml" <<EOF
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: kuberay-system
resources: [../config/default]
images: [{name: quay.io/kuberay/operator, newName: ${KUBERAY_IMAGE%:*}, newTag: ${KUBERAY_IMAGE#*:}}]
patches:
  - target: {kind: Deployment, name: kuberay-operator}
    patch: |
      - {op: remove, path: /spec/template/spec/containers/0/resources/limits/cpu}
      - {op: replace, path: /spec/template/spec/containers/0/readinessProbe/initialDelaySeconds, value: 1}
      - {op: replace, path: /spec/template/spec/containers/0/readinessProbe/periodSeconds, value: 1}
EOF
}

install_kuberay() {
  local wanted
  wanted="$(tool_folder kuberay) $(cd "$RIG_SOURCE" && digest kuberay.sh)"
  [ "$(cat "$RIG/kuberay/installed" 2>/dev/null)" != "$wanted" ] || return 0
  write_kuberay_overlay
  in_cluster kubectl kustomize "$RIG/kuberay/overlay" >"$RIG/kuberay/kuberay.yaml"
  {
    in_cluster kubectl create namespace kuberay-system --dry-run=client -o yaml | in_cluster kubectl apply --server-side -f - &&
      in_cluster kubectl apply --server-side --force-conflicts -f "$RIG/kuberay/kuberay.yaml" &&
      in_cluster kubectl -n kuberay-system rollout status deployment/kuberay-operator --timeout=600s
  } >"$LOG/kuberay.log" 2>&1 || fail "KubeRay did not start ($LOG/kuberay.log): $(tail -3 "$LOG/kuberay.log")"
  echo "$wanted" >"$RIG/kuberay/installed"
}
