# shellcheck shell=bash
MODULE=sigs.k8s.io/kueue
VERSION=$KUEUE_VERSION
COMMANDS=(kueue=sigs.k8s.io/kueue/cmd/kueue)
LDFLAGS=
MANIFESTS=config # CRDs, RBAC, webhooks and Deployment as a kustomization
