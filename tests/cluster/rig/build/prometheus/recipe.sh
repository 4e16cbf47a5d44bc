# Prometheus 3.x is the module v0.3xx. Of its service discoveries only Kubernetes' is built in: those of the clouds take
# minutes to compile. Without the tag `builtinassets` it has no web pages, which would need npm.
# shellcheck shell=bash
MODULE=github.com/prometheus/prometheus
VERSION=$PROMETHEUS_VERSION
COMMANDS=(promtool=github.com/prometheus/prometheus/cmd/promtool prometheus=github.com/prometheus/prometheus/cmd/prometheus)
LDFLAGS="-X github.com/prometheus/common/version.Version=3.${VERSION#v0.3}"
TAGS=remove_all_sd,enable_kubernetes_sd
