# make search   install if needed, then run the example search
# make test     install if needed, then run the whole test suite in TEST_PROCESSES=2 processes
# make check    the gate for a change: format, lint, types, layers, fast tests, generated docs
# make smoke    run the smallest form of every study in studies/, at most 10 processor seconds each
# make fuzz     100,000 damaged inputs for every reader; FUZZ_COUNT= changes that (hours)

PYTHON3 ?= python3
VENV ?= .venv
TORCH_INDEX ?=
FUZZ_COUNT ?= 100000
TEST_PROCESSES ?= 2
PYTHON := $(VENV)/bin/python
## One thread each: processes whose threads wait for each other take many times as long.
## worksteal: neighbouring tests share their module's fixtures, and no process waits at the end.
PYTEST := OMP_NUM_THREADS=1 $(PYTHON) -m pytest -n $(TEST_PROCESSES) --dist worksteal
COG := $(PYTHON) -m cogapp -P -I docs
COG_FILES := README.md docs/cli.md docs/recipes.md docs/studies.md docs/history.md docs/tables.md docs/fuzzing.md $(wildcard docs/families/*.md)

.DEFAULT_GOAL := help
.PHONY: help install search dashboard test check lint test-fast smoke fuzz docs docs-check clean

help:
	@sed -n 's/^# //p' Makefile

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON3) -c 'import sys; v = sys.version_info; sys.exit(None if (3, 11) <= v[:2] <= (3, 13) else "error: nasablate needs Python 3.11, 3.12 or 3.13, but $(PYTHON3) is %d.%d; name another with PYTHON3=" % v[:2])'
	@test -x $(PYTHON) || $(PYTHON3) -m venv $(VENV)
	@echo "installing into $(VENV); this takes a few minutes"
	$(if $(TORCH_INDEX),$(PYTHON) -m pip install -q --no-deps -c constraints.txt --index-url $(TORCH_INDEX) torch)
	$(PYTHON) -m pip install -q -c constraints.txt torch
	$(PYTHON) -m pip install -q -c constraints.txt -e '.[dev,oracle,augment,onnx]'
	@touch $@

search: install
	$(VENV)/bin/nasablate search search_spaces/quickstart.yaml

dashboard: install
	$(VENV)/bin/nasablate dashboard

test: install
	$(PYTEST) -m "not gpu"

check: lint test-fast docs-check

lint: install
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/pyright --pythonpath $(PYTHON)
	$(VENV)/bin/lint-imports

test-fast: install
	$(PYTEST) -m "not slow and not ray and not gpu"

smoke: install
	$(PYTHON) -m benchmarks.smoke_studies

fuzz: install
	$(PYTHON) -m tests.fuzz.run --count $(FUZZ_COUNT)

docs: install
	$(COG) -r $(COG_FILES)

docs-check: install
	$(COG) --check $(COG_FILES)

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
