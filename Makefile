# Everything a newcomer or CI calls. Long builds live in $(CACHE), outside the checkout.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
STARTED := $(shell date +%s)
include versions.env

CACHE ?= $(or $(TUNINGSWEEP_CACHE),$(HOME)/.cache/tuningsweep)
export TUNINGSWEEP_CACHE := $(CACHE)
# A new checkout need not judge the types of every library again.
export MYPY_CACHE_DIR := $(CACHE)/mypy
# Many images set this, and then each process of a Ray compiles all it imports: 9.6 CPU seconds a start instead of 4.2.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= $(or $(shell command -v python3.11),python3)
UV_HOME := $(CACHE)/uv-$(UV_VERSION)
UV := $(UV_HOME)/bin/uv
BIN := .venv/bin
STAMP := .venv/.synced
SOURCES := api/src cli/src operator/src trainer/src benchmarks
# Files of tests side by side, in their order: the longest are among the first, and would run alone at the end otherwise.
# Pure tests on two cores; one more of those that start real things, for they wait a third of their time.
SIDE_BY_SIDE := --dist loadfile --no-loadscope-reorder
PURE := -n 2 $(SIDE_BY_SIDE)
REAL := -n 3 $(SIDE_BY_SIDE)
FILE ?= manifests/samples/quickstart.yaml

.PHONY: help setup run reproduce bench bench-operator pictures generate check unit golden integration fuzz soak soak-cluster programs test test-cluster clean

help: ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "make: $(PYTHON) is not Python 3.11; call make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "installing uv $(UV_VERSION) into $(UV_HOME)"
	@$(PYTHON) -m venv $(UV_HOME)
	@$(UV_HOME)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(STAMP): $(UV) uv.lock pyproject.toml api/pyproject.toml cli/pyproject.toml operator/pyproject.toml trainer/pyproject.toml
	@$(UV) sync --frozen --quiet --python $(PYTHON)
	@touch $(STAMP)

setup: $(STAMP) ## make the virtual environment in .venv

run: setup ## run a sample sweep on this machine (FILE=manifest, ARGS=more options)
	@$(BIN)/tuningsweep run $(FILE) $(ARGS)

reproduce: setup ## run the thesis again, half an hour and more (ARGS=--quick for a smoke test, ARGS=--help for the rest)
	@$(BIN)/tuningsweep reproduce $(ARGS)

bench: setup ## measure every figure beside its baselines (BENCH=name,... for some, ARGS=--quick for a smoke test)
	@$(BIN)/python -m benchmarks $(BENCH) $(ARGS)

bench-operator: setup ## measure the operator beside KubeRay, 1,000 and 10,000 sweeps, and 1,000 that run (BENCH=few, many or running, ARGS=--quick)
	@PYTHONPATH=tests:. $(BIN)/python -m benchmarks.operator_scale $(BENCH) $(ARGS)

pictures: setup ## make the screenshots in docs/images again, from real runs (chromium, npm, Go)
	@$(BIN)/python tools/screenshots.py
	@PYTHONPATH=tests $(BIN)/python tools/dashboard_picture.py

generate: setup ## make CRD, chart schema and rendered manifests again
	@$(BIN)/python tools/generate.py

check: setup ## lint, types, layers, and whether generated files are up to date
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy $(SOURCES)
	@$(BIN)/lint-imports
	@$(BIN)/python tools/generate.py --check

unit: setup ## pure tests, seconds
	@$(BIN)/pytest tests/unit $(PURE)

golden: setup ## generated manifests against tests/golden
	@$(BIN)/pytest tests/golden

integration: setup ## real Ray, Prometheus client and openml client
	@$(BIN)/pytest tests/integration $(REAL) --durations=20

fuzz: setup ## EXAMPLES (10000) random specs through models and builders, a fifth of them against a real API server
	@TUNINGSWEEP_FUZZ_EXAMPLES=$(or $(EXAMPLES),10000) $(BIN)/pytest --timeout 3600 tests/unit/operator/test_fuzz.py \
	  tests/integration/control_plane/test_fuzz.py

soak: setup ## kill every process of a sweep at random, FAULTS times (200), and check what must hold
	@PYTHONPATH=tests $(BIN)/python -m soak.soak --faults $(or $(FAULTS),200)

soak-cluster: cluster-up ## kill operators, drivers, heads and workers of sweeps on the test cluster, KILLS times (100)
	@PYTHONPATH=tests $(RIG)/in-cluster $(BIN)/python -m soak.cluster_chaos --kills $(or $(KILLS),100) --sweeps $(or $(SWEEPS),20)

# What waits (for downloads, pods, scrapes) runs beside what computes.
test: setup ## every test, the cluster ones included where the machine can
	@ready=$$(date +%s); \
	$(MAKE) --no-print-directory --jobs check unit programs; \
	checked=$$(date +%s); \
	tests/cluster/run $(BIN)/pytest $(MAKE) --no-print-directory golden integration; \
	ended=$$(date +%s); \
	echo "make test: all passed in $$((ended - $(STARTED))) s: setup $$((ready - $(STARTED)))," \
	  "check, unit tests and programs that the cache lacked $$((checked - ready)), the others $$((ended - checked))"

# Before the tests that use them: a build within a test would run into the test's time limit.
programs:
	@mkdir -p $(CACHE) && flock $(CACHE)/lock $(RIG)/binaries.sh \
	  || echo "make: some programs for tests can't be built here (see above); tests that need one say so"

test-cluster: setup ## tests on a real Kubernetes with KubeRay; makes the cluster and takes it down
	@tests/cluster/run $(BIN)/pytest

clean: ## remove what is made in the checkout; the cache stays
	@rm -rf .venv build results

include tests/cluster/rig/rig.mk
