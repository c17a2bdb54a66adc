# The project in a few words: `make help`.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true

.PHONY: help repro test slow check dashboard ui locks deps clean
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

repro: .venv/base ## evaluate the suites that params.yaml runs, and print the result table
	@dvc repro
	@llmops show --from results

test: .venv/test ## all tests but the slow ones
	@python -m pytest -m "not slow and not network and not gpu"

slow: .venv/test ## the slow tests: simulations of coverage and false alarms
	@python -m pytest -m "slow"

check: .venv/test ## ruff, mypy strict, import-linter
	@ruff check . && ruff format --check . && mypy && lint-imports

dashboard: .venv/base ## the dashboard, on loopback
	@streamlit run dashboards/app.py --server.address 127.0.0.1

ui: .venv/base ## the MLflow UI on the project's store, on loopback
	@llmops ui

locks: ## write the locks anew from pyproject.toml (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  pyproject.toml requirements/build.in -o requirements/base.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --group test pyproject.toml requirements/build.in -c requirements/base.txt -o requirements/test.txt

.venv/base: requirements/base.txt pyproject.toml
	$(PYTHON) -m venv .venv
	pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/test: .venv/base requirements/test.txt
	pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	@touch $@

deps: .venv/base ## write each stage's code dependencies into dvc.yaml anew
	@python -m tools.deps --write

clean: ## remove what can be made again, but no stored answer
	rm -rf .venv runs build dist .mypy_cache .ruff_cache .pytest_cache
