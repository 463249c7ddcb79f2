# Every command of the project. Needs Python 3.11 or newer and make; everything else is installed into .venv.
#
# ARGS goes to the command behind a target:  make test ARGS="tests/wording -k barcode"

PYTHON ?= python3
ARGS ?=

# Relative paths only, so that a checkout may be below a folder with spaces in its name.
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# A worker per core, a module's tests together and in their order. ARGS="-n 0" runs them in one process, for a debugger.
PARALLEL := -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run up down test test-fast test-live lint format docs bench bench-matching campaign test-ui lock clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

install: $(INSTALLED) ## Create .venv with exactly the packages of requirements.lock, unless it is up to date

$(INSTALLED): pyproject.toml requirements.lock requirements-installer.lock
	@command -v '$(PYTHON)' >/dev/null || { echo "error: no $(PYTHON) here. Install Python 3.11 or newer, or name one: make $(or $(MAKECMDGOALS),install) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or newer is needed, $(PYTHON) is `'$(PYTHON)' -V 2>&1`. Name a newer one: make $(or $(MAKECMDGOALS),install) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "[1/4] virtual environment $(VENV), `'$(PYTHON)' -V`"
	@'$(PYTHON)' -m venv $(VENV) || { echo "error: $(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "[2/4] the installer"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-installer.lock
	@echo "[3/4] `grep -c '^[a-z].*==' requirements.lock` packages; the first time takes a few minutes"
	@$(BIN)/uv pip install `test -t 2 || echo --quiet` --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock || { \
		echo "      uv could not; trying pip with the same lock" >&2; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock; }
	@echo "[4/4] aisleflow"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(INSTALLED) ## Run one night through Airflow against the sandbox retailers and print its summary
	@$(BIN)/aisleflow night $(ARGS)

up: $(INSTALLED) ## Start PostgreSQL and Airflow on this machine and print the UI's address
	@$(BIN)/aisleflow up $(ARGS)

down: $(INSTALLED) ## Stop everything that `make up` or `make run` started
	@$(BIN)/aisleflow down $(ARGS)

test: $(INSTALLED) ## Run the tests; ARGS="tests/wording -k barcode" runs some of them
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

test-fast: $(INSTALLED) ## Run the tests that need no PostgreSQL and start no process: half a minute
	@$(BIN)/python -m pytest $(PARALLEL) -m "not (slow or live or campaign or ui)" $(ARGS)

lint: $(INSTALLED) ## Show every finding of ruff, mypy and the import contracts
	@failed=0; \
	echo "== ruff check"; $(BIN)/ruff check . || failed=1; \
	echo "== ruff format"; $(BIN)/ruff format --check . || failed=1; \
	echo "== mypy"; $(BIN)/mypy || failed=1; \
	echo "== import contracts"; $(BIN)/lint-imports --no-logo || failed=1; \
	exit $$failed

format: $(INSTALLED) ## Apply ruff's automatic fixes: import order, layout
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

docs: $(INSTALLED) ## Regenerate the pages: settings, DAGs, commands, checks, data dictionary
	@$(BIN)/python -m docs.generate

test-live: $(INSTALLED) ## Run the tests that start an installation and run nights through it (minutes)
	@$(BIN)/python -m pytest -m live $(ARGS)

bench: $(INSTALLED) ## Plain nights, histories, the import command against a yardstick; ARGS="histories --only doubles" runs a part
	@test -f benchmarks/__main__.py || { echo "error: this version has no benchmarks (benchmarks/__main__.py)" >&2; exit 1; }
	@$(BIN)/python -m benchmarks $(ARGS)

bench-matching: $(INSTALLED) ## Match recorded products without their barcodes: recall, precision, every wrong and missed pair in build/
	@$(BIN)/python -m benchmarks.matching $(ARGS)

campaign: $(INSTALLED) ## Run the long tests: a million damaged lines, a thousand damaged files, kills at any moment; a report in build/
	@$(BIN)/python -m pytest -m campaign -p tests.campaign $(ARGS)

test-ui: $(INSTALLED) ## Run the browser tests; needs Chromium
	@$(BIN)/python -m pytest -m ui $(ARGS)

lock: $(INSTALLED) ## Resolve the dependencies of pyproject.toml again; versions stay unless ARGS=--upgrade
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --group dev $(ARGS) pyproject.toml -o requirements.lock
	@echo uv | $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate $(ARGS) - -o requirements-installer.lock

clean: ## Remove the files of make and the tools (`make down` first), not the data in AISLEFLOW_HOME
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find $(wildcard include sandbox dags plugins tests docs benchmarks) -type d -name __pycache__ -exec rm -rf {} +
