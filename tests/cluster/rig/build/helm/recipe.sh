# shellcheck shell=bash
MODULE=helm.sh/helm/v3
VERSION=$HELM_VERSION
COMMANDS=(helm=helm.sh/helm/v3/cmd/helm)
LDFLAGS="-X helm.sh/helm/v3/internal/version.version=$VERSION"
