# shellcheck shell=bash
MODULE=github.com/prometheus-operator/prometheus-operator
VERSION=$PROMETHEUS_OPERATOR_VERSION
COMMANDS=("operator=$MODULE/cmd/operator" "prometheus-config-reloader=$MODULE/cmd/prometheus-config-reloader")
LDFLAGS="-X github.com/prometheus/common/version.Version=${VERSION#v}"
MANIFESTS=bundle.yaml # CRDs, RBAC and Deployment
