# `make demo` shows nextapi, `make test` runs every check and test, `make check` its quick part.
# Each sets up what it needs in .venv first, with the Python named by PYTHON.

PYTHON ?= python3
PORT ?= 8000
BIN = .venv/bin

.PHONY: demo test check newcomer format bench conformance clean

.venv/ready: setup.cfg pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nextapi needs Python 3.11 or newer: make PYTHON=python3.13")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

demo: .venv/ready
	$(BIN)/python integrations/gunicorn_mount/demo.py --port $(PORT)

test: check
	$(BIN)/python -m pytest --quiet

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy tests/typing
	$(BIN)/pyright --pythonpath $(BIN)/python
	PYTHONPATH=. $(BIN)/lint-imports

newcomer:
	PYTHON=$(PYTHON) tests/newcomer.sh

format: .venv/ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/ready
	$(BIN)/python -m benchmarks

conformance: .venv/ready
	$(BIN)/python -m tests.conformance.replay

clean:
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
