# What enforces NetworkPolicies in the test of ours: the node's network plugin (bridge) does not.
# shellcheck shell=bash
MODULE=sigs.k8s.io/kube-network-policies
VERSION=$NETWORK_POLICIES_VERSION
COMMANDS=(network-policies=.)
LDFLAGS=
