# Installs our chart with the images of this checkout (sourced by up.sh), in a namespace under restricted pod security.
# shellcheck shell=bash
CHART=$CHECKOUT/charts/tuningsweep
CHART_NAMESPACE=tuningsweep-system

install_chart() {
  if [ ! -f "$CHART/Chart.yaml" ]; then
    say "charts/tuningsweep is not there yet: left out"
    return
  fi
  {
    in_cluster kubectl create namespace "$CHART_NAMESPACE" --dry-run=client -o yaml | in_cluster kubectl apply --server-side -f - &&
      in_cluster kubectl label --overwrite namespace "$CHART_NAMESPACE" pod-security.kubernetes.io/enforce=restricted &&
      in_cluster helm upgrade --install tuningsweep "$CHART" --namespace "$CHART_NAMESPACE" \
        --values "$RIG_SOURCE/chart-values.yaml" --set-string "$(image_values)" --wait --timeout 600s &&
      restart_on_new_image
  } >"$LOG/chart.log" 2>&1 || fail "the chart could not be installed ($LOG/chart.log): $(tail -5 "$LOG/chart.log")"
}

image_values() {
  local from=${TUNINGSWEEP_TEST_IMAGES:-localhost} policy=Never
  [ "$from" = localhost ] || policy=IfNotPresent
  echo "operator.image.repository=$from/tuningsweep-operator,operator.image.pullPolicy=$policy,trainer.image.repository=$from/tuningsweep-trainer"
}

# A new image under the old tag changes no manifest, so nothing else would restart the operator.
restart_on_new_image() {
  [[ " ${CHANGED[*]-} " == *" tuningsweep-operator "* ]] || return 0
  in_cluster kubectl -n "$CHART_NAMESPACE" rollout restart deployment -l app.kubernetes.io/name=tuningsweep
  in_cluster kubectl -n "$CHART_NAMESPACE" rollout status deployment -l app.kubernetes.io/name=tuningsweep --timeout=600s
}
