# A CoreDNS of the plugins the node needs (main.go): the stock one takes three minutes to build for its cloud plugins.
# shellcheck shell=bash
MODULE=github.com/coredns/coredns
VERSION=$COREDNS_VERSION
COMMANDS=(coredns=.)
LDFLAGS=
