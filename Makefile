# Shafaf: from the timelines of public bodies to a served portal.
#
#   make run       the whole way: environment, demo office, extract, release, build
#   make serve     the portal of the demo at http://127.0.0.1:8001/
#   make test      every test that needs no browser, no Java and no network
#   make long      tests of minutes: the tour, full disks, deaths, three more real files, a history of two years
#   make histories  the large form of two of them: histories of three years, changes at the source over hundreds of steps (HISTORIES=12)
#   make cover     the same tests, and the share of lines and branches they reach
#   make engines   DuckDB and Spark side by side: equal rows, equal released bytes (needs Java 17)
#   make check     style, types, layers, packages
#   make browser   the pages in Chromium (.ci/install brings it)
#   make kills     kill -9 at random moments (KILLS=50); each must heal
#   make mutants   break the laws on purpose; each must be seen by a test (LAWS="6: audit" for some)
#   make bench     seconds and memory of a million events, beside a peer in pandas (ARGS="--cases 30000" for fewer)
#   make bench-10m ten million events, without the peer
#   make bench-50m the releases of fifty million events, 24 rungs; ARGS="--folder DIR" keeps their staging for the next time
#   make bench-history  one more month on ten years of history, beside the whole (ARGS="--cases 1200000")
#   make bench-privacy  what anonymisation keeps, invents and costs, beside the bars (ARGS=--quick for the logs alone)
#   make docs      write the generated pages of docs/reference and the tour again
#   make tutorial  type the operator's tutorial and a newcomer's path, block by block, in empty folders
#   make lock      compile requirements*.txt again (needs uv)
#   make clean     forget the demo's state, keep the environment

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3 || echo python3.11)
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -q
PORTAL ?= .
COVERED ?= 90

export PIP_ROOT_USER_ACTION := ignore
export PYTHONUTF8 := 1

.PHONY: help run serve test long histories cover engines spark-env check browser kills mutants bench bench-10m bench-50m bench-history bench-privacy docs tutorial lock clean env dev-env

help:
	@sed -n 's/^#   //p' Makefile

# ---- the environment: made once, mended when a lock file is newer than its stamp ----

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Found $$($(PYTHON) --version 2>&1); expected Python 3.11 or newer. Install it, or name it: make PYTHON=/path/to/python3.11 run" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Found $(PYTHON) without ensurepip; expected the venv module whole. On Debian and Ubuntu: apt-get install python3-venv (or python3.11-venv)" >&2; exit 1; }
	@echo "environment: making $(VENV) with $$($(PYTHON) --version)" >&2
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run-stamp: requirements.txt pyproject.toml | $(BIN)/python
	@echo "environment: packages of requirements.txt" >&2
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev-stamp: requirements-dev.txt requirements-peer.txt $(VENV)/.run-stamp
	@echo "environment: packages of requirements-dev.txt and, in $(VENV)/peer, of requirements-peer.txt" >&2
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@$(PIP) install --require-hashes --no-deps --upgrade --target $(VENV)/peer -r requirements-peer.txt
	@touch $@

# only for `engine: spark` and its tests: a large package
$(VENV)/.spark-stamp: requirements-spark.txt $(VENV)/.run-stamp
	@echo "environment: packages of requirements-spark.txt" >&2
	@$(PIP) install --require-hashes -r requirements-spark.txt
	@touch $@

env: $(VENV)/.run-stamp
spark-env: $(VENV)/.spark-stamp
dev-env: $(VENV)/.dev-stamp

# ---- the demo: this folder is an instance whose source is the synthetic office ----

office/desk.db: | $(VENV)/.run-stamp
	@$(BIN)/shafaf demo office office

run: $(VENV)/.run-stamp office/desk.db
	@$(BIN)/shafaf --portal $(PORTAL) run

serve: $(VENV)/.run-stamp
	@test -e public/current.json || $(MAKE) --no-print-directory run
	@$(BIN)/shafaf --portal $(PORTAL) serve --demo

# ---- tests and checks ----

# Two processes side by side, of about the same length: the whole way on small, real and bad input with loading, and everything else.
WHOLE := tests/integration tests/bad_input tests/load
test: $(VENV)/.dev-stamp
	@mkdir -p .pytest_cache; failed=0; \
	COVERAGE_FILE=.coverage.whole $(BIN)/python -m pytest -m "not browser and not long and not spark" $(WHOLE) $(ARGS) >.pytest_cache/integration.txt 2>&1 & whole=$$!; \
	trap 'kill $$whole 2>/dev/null || true' INT TERM; \
	COVERAGE_FILE=.coverage.parts $(BIN)/python -m pytest -m "not browser and not long and not spark" $(WHOLE:%=--ignore=%) $(ARGS) || failed=$$?; \
	wait $$whole || failed=$$?; \
	cat .pytest_cache/integration.txt; exit $$failed

cover: $(VENV)/.dev-stamp
	@$(MAKE) --no-print-directory test ARGS="--cov --cov-branch --cov-report="
	@$(BIN)/coverage combine -q .coverage.whole .coverage.parts
	@$(BIN)/coverage report --fail-under=$(COVERED)

check: $(VENV)/.dev-stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pip --disable-pip-version-check check

browser: $(VENV)/.dev-stamp
	@$(BIN)/python -m pytest -m browser tests/browser $(ARGS)

long: $(VENV)/.dev-stamp
	@$(BIN)/python -m pytest -m long $(ARGS)

# HISTORIES says how many of each; all twelve take more than an hour
HISTORIES ?= 12
histories: $(VENV)/.dev-stamp
	@HISTORIES=$(HISTORIES) $(BIN)/python -m pytest -m long tests/property/test_long_histories.py tests/extract/test_extract_changes.py $(ARGS)

# Every spec, too, on Spark alone; py4j leaves its loopback sockets to the garbage collector.
# Small tables need no code that is compiled for speed; test_engines_agree runs as a body would.
SPARK_QUICK := SPARK_CONF_DIR=$(CURDIR)/tests/engines/quick JDK_JAVA_OPTIONS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
SPARK_SOCKETS := -W ignore::ResourceWarning -W ignore::pytest.PytestUnraisableExceptionWarning

engines: $(VENV)/.dev-stamp $(VENV)/.spark-stamp
	@$(BIN)/python -m pytest -m spark tests/engines $(ARGS)
	@$(SPARK_QUICK) SPEC_ENGINE=spark $(BIN)/python -m pytest --timeout 900 $(SPARK_SOCKETS) tests/spec $(ARGS)

# KILLS says how many, SEED draws other moments: make kills KILLS=200 SEED=7
kills: $(VENV)/.dev-stamp
	@$(BIN)/python -m tests.dying.kills

mutants: $(VENV)/.dev-stamp
	@$(BIN)/python -m tests.mutants.run $(LAWS)

bench: $(VENV)/.dev-stamp
	@$(BIN)/python -m bench.run $(ARGS)

bench-10m: $(VENV)/.dev-stamp
	@$(BIN)/python -m bench.run --cases 1230000 --alone $(ARGS)

bench-50m: $(VENV)/.dev-stamp
	@$(BIN)/python -m bench.fifty $(ARGS)

bench-history: $(VENV)/.dev-stamp
	@$(BIN)/python -m bench.history $(ARGS)

bench-privacy: $(VENV)/.dev-stamp
	@$(BIN)/python -m bench.privacy $(ARGS)

docs: $(VENV)/.dev-stamp
	@$(BIN)/python -m tests.docs.generate
	@$(BIN)/python -m tests.docs.tour

tutorial: $(VENV)/.dev-stamp
	@$(BIN)/python -m pytest tests/docs/tutorial.py tests/docs/newcomer.py $(ARGS)

# Universal (Linux and macOS, every Python from 3.11), hashed, and without the address of any package index.
lock:
	@command -v uv >/dev/null || { echo "Found no uv; expected it on the path, only for this target. See CONTRIBUTING.md." >&2; exit 1; }
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements.txt requirements.in
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements-dev.txt requirements-dev.in
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-emit-package numpy -o requirements-peer.txt requirements-peer.in
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements-spark.txt requirements-spark.in

clean:
	rm -rf office var public
	find datasets -mindepth 1 -not -name .gitkeep -delete 2>/dev/null || true
