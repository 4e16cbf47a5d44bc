# Argo CD's engine behind a command of our own (main.go), and beside it what judges health: kstatus and Flux's expressions,
# and the Lua that Argo CD runs health scripts in. The version of the engine is the one that Argo CD 3.1.0 is built with:
# v0.7.3, though the higher number, is of 2022.
# shellcheck shell=bash
MODULE=github.com/argoproj/gitops-engine
VERSION=$GITOPS_ENGINE_VERSION
COMMANDS=(gitops=.)
LIBRARIES=("github.com/fluxcd/pkg/runtime@$FLUX_RUNTIME_VERSION" "github.com/yuin/gopher-lua@$GOPHER_LUA_VERSION")
LDFLAGS=
