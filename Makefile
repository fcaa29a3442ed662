# `make help` lists the targets. Everything is installed into .venv with the versions of constraints.txt.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: help run test check golden docs bench tools clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/ready ## Compile the worked example into out/ and say what to type next.
	@$(BIN)/dashgen generate

test: .venv/ready tools check ## Install what tests need, then run all of them.
	@$(BIN)/pytest -n auto --dist worksteal

check: .venv/ready ## Types, style, and the import rules.
	@$(BIN)/ruff format --check --quiet dashgen tests bench docs
	@$(BIN)/ruff check --quiet dashgen tests bench docs
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

golden: .venv/ready ## Rewrite expected outputs, then review the diff.
	@$(BIN)/pytest -n auto --golden
	@git diff --stat

docs: .venv/ready ## Regenerate the generated pages of docs/.
	@$(BIN)/python docs/generate.py

bench: .venv/ready tools ## Measure against the bars of docs/architecture.md.
	@$(BIN)/python -m bench.compile
	@$(BIN)/python -m bench.writer
	@$(BIN)/python -m bench.slos
	@$(BIN)/python -m bench.cost
	@$(BIN)/python -m bench.accuracy
	@$(BIN)/python -m bench.push
	@$(BIN)/python -m bench.peers
	@$(BIN)/python -m bench.vmalert
	@$(BIN)/python -m bench.invented

tools: ## Install Prometheus, Alertmanager and VictoriaMetrics where they are missing.
	@.ci/tools

clean: ## Remove what make made.
	@rm -rf .venv dist build .hypothesis .mypy_cache .ruff_cache .import_linter_cache

.venv/ready: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
