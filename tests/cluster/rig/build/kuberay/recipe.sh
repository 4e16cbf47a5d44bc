# shellcheck shell=bash
MODULE=github.com/ray-project/kuberay/ray-operator
VERSION=$KUBERAY_VERSION
COMMANDS=(kuberay-operator=github.com/ray-project/kuberay/ray-operator)
LDFLAGS=
MANIFESTS=config # CRDs, RBAC and Deployment as a kustomization
