# Everything a newcomer or CI calls. Long builds live in $(CACHE), outside the checkout.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
include versions.env

CACHE ?= $(or $(TUNINGSWEEP_CACHE),$(HOME)/.cache/tuningsweep)
UV_HOME := $(CACHE)/uv-$(UV_VERSION)
UV := $(UV_HOME)/bin/uv
PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/.synced

.PHONY: help setup
help: ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

$(UV):
	@echo "installing uv $(UV_VERSION) into $(UV_HOME)"
	@$(PYTHON) -m venv $(UV_HOME)
	@$(UV_HOME)/bin/pip install --quiet uv==$(UV_VERSION)

$(STAMP): $(UV) uv.lock pyproject.toml api/pyproject.toml operator/pyproject.toml trainer/pyproject.toml
	@$(UV) sync --frozen --quiet --python $(PYTHON)
	@touch $(STAMP)

setup: $(STAMP) ## make the virtual environment
