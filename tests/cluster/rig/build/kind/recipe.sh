# shellcheck shell=bash
# Built only where a Docker engine answers and no `kind` is on PATH.
MODULE=sigs.k8s.io/kind
VERSION=$KIND_VERSION
COMMANDS=(kind=sigs.k8s.io/kind)
LDFLAGS=
