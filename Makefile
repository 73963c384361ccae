# `make lab` and `make test` are all that a newcomer needs; `make help` lists the rest.
# LIGHT=1 leaves PyTorch and TensorFlow out. ARGS="..." goes to the command that a target runs.
# STRICT=1 turns a skipped test into a failed one. PYTHON=... names the Python to install with.

PYTHON ?= $(or $(shell command -v python3),$(shell command -v python))
BIN = .venv/bin
SETUP = $(PYTHON) autograder/setup/bootstrap.py $(if $(LIGHT),--light)
NO_PYTHON = Python 3.11 to 3.13 is needed and none was found; install one and run this again.

.PHONY: help python setup tools lab test lint types format notebooks audit bench lock
.DEFAULT_GOAL := help

help: ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | awk -F'\t' '{printf "make %-10s %s\n", $$1, $$2}'

python:
	@$(if $(PYTHON),:,echo "$(NO_PYTHON)" >&2; exit 2)

setup: python ## make the environment in .venv, or see that it stands
	@$(SETUP)

tools: python ## the same, with what tests and linters need
	@$(SETUP) --tools

lab: setup ## open JupyterLab on your own copies in work/ (ARGS="--no-browser --port 8899")
	@$(BIN)/autograder lab $(ARGS)

test: tools ## run every test; says what was skipped and why
	@$(BIN)/python -m pytest $(ARGS)

lint: tools ## see that the code follows its rules
	@$(BIN)/ruff check $(ARGS)
	@$(BIN)/ruff format --check $(ARGS)

types: tools ## check the types
	@$(BIN)/mypy $(ARGS)

format: tools ## put the code into its form
	@$(BIN)/ruff check --fix-only --quiet $(ARGS)
	@$(BIN)/ruff format $(ARGS)

notebooks: setup ## build solutions/ and notebooks/ from lessons/
	@$(BIN)/autograder build $(ARGS)

audit: setup ## run right, wrong, blank and mutated answers against every test
	@$(BIN)/autograder audit $(ARGS)

bench: setup ## time what should be fast
	@$(BIN)/python -m benchmarks $(ARGS)

lock: tools ## write the lock files and environment.yml (ARGS=--upgrade for newer versions)
	@$(BIN)/python -m autograder.setup.locks $(ARGS)
