# shellcheck shell=bash
MODULE=go.etcd.io/etcd/server/v3
VERSION=$ETCD_VERSION
COMMANDS=(etcd=go.etcd.io/etcd/server/v3)
LDFLAGS=
