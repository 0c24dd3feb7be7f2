# The verbs of this repository. `make` alone lists them; each one sets up what it needs first.

VENV := .venv
BIN := $(VENV)/bin
STAMP_LOCAL := $(VENV)/.installed-local
STAMP_DEV := $(VENV)/.installed-dev
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# hashes are checked, and only wheels are taken: nothing is compiled here, and no package's own code runs
PIP_INSTALL := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet --quiet
LOCKED := --require-hashes --only-binary :all:
COMPILE := $(BIN)/uv --no-config pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --annotation-style line --no-emit-index-url --custom-compile-command "make lock" $(UPGRADE)
# three workers, as most tests wait for something; each has its own broker and database, and begins with the slow tests
PARALLEL ?= --numprocesses 3 --dist loadscope --no-loadscope-reorder
ARGS ?=
# where the environment forbids Python to keep its bytecode, each of hundreds of processes compiles all of ours anew
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup dev demo up flow test unit e2e chaos soak simulate destinations bench bench-compare accuracy lint format lock clean

help: ## List the verbs
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r verb what; do \
		printf '  make %-13s %s\n' "$$verb" "$$what"; done

setup: $(STAMP_LOCAL) ## Install presswork and a PostgreSQL into .venv
	@echo "presswork is ready: $(BIN)/presswork --help"

demo: $(STAMP_LOCAL) ## Run the whole flow on sample images and print where the results are
	@$(BIN)/presswork demo $(ARGS)

up: $(STAMP_LOCAL) ## Run all services on this machine
	@$(BIN)/presswork up $(ARGS)

flow: $(STAMP_LOCAL) ## Print which service listens to what
	@$(BIN)/presswork flow

test: $(STAMP_DEV) ## Run all tests (RabbitMQ is installed if it is missing and we are root); ARGS='-k words'
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

unit: $(STAMP_DEV) ## Run the tests that need no broker, no database and no browser
	@$(BIN)/python -m pytest tests/unit tests/contract tests/flow $(ARGS)

e2e: $(STAMP_DEV) ## Run the tests that go through the whole system
	@$(BIN)/python -m pytest tests/e2e $(ARGS)

chaos: $(STAMP_DEV) ## Break everything that can break, 20 rounds each, and check all books; ROUNDS=1 JOBS=1 ARGS='-k f8_'
	@CHAOS_ROUNDS=$(or $(ROUNDS),20) $(BIN)/python -m pytest tests/chaos --deselect tests/chaos/test_soak.py \
		--numprocesses $(or $(JOBS),3) --dist worksteal $(ARGS)

soak: $(STAMP_DEV) ## Kill whatever runs, 100 times, during an upload of 500; list 200 while all of Etsy fails; the NAS is away for an hour; KILLS=10 FILES=50 DESIGNS=20 OUTAGE=2
	@CHAOS_ROUNDS=1 CHAOS_OUTAGE_MINUTES=$(or $(OUTAGE),60) CHAOS_KILLS=$(or $(KILLS),100) CHAOS_FILES=$(or $(FILES),500) CHAOS_DESIGNS=$(or $(DESIGNS),200) \
		$(BIN)/python -m pytest tests/chaos/test_soak.py $(ARGS)

simulate: $(STAMP_DEV) ## Let messages come in any order, die and come again while people do what they like; LIVES=2000
	@SIMULATE_SEED=$(SEED) SIMULATE_LIVES=$(or $(LIVES),2000) $(BIN)/python -m pytest tests/simulation $(ARGS)

destinations: $(STAMP_DEV) ## Take 200 designs from upload to drafts over each kind of NAS; DESIGNS=20 ARGS="sftp smb"
	@$(BIN)/python -m tests.destinations --designs $(or $(DESIGNS),200) $(ARGS)

bench: $(STAMP_DEV) ## Measure how fast it is, into .bench/result.json and docs/performance.md; ARGS='hasher upload'
	@$(BIN)/python -m bench $(ARGS)

bench-compare: $(STAMP_DEV) ## Compare the last result with an older one: make bench-compare OLD=old.json
	@$(BIN)/python -m bench --compare $(OLD)

accuracy: $(STAMP_DEV) ## Measure the verdicts on duplicates, on real drawings (openclipart-svg); COUNT=1000 DRAWINGS=/folder
	@if [ -z "$(DRAWINGS)" ] && [ ! -d /usr/share/openclipart/svg -o ! -x /usr/bin/rsvg-convert ] && [ "$$(id -u)" = 0 ] \
		&& command -v apt-get >/dev/null; then echo "installing openclipart-svg and librsvg2-bin with apt"; \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y openclipart-svg librsvg2-bin \
		>/dev/null; fi
	@COUNT=$(COUNT) DRAWINGS=$(DRAWINGS) $(BIN)/python -m tests.accuracy

lint: $(STAMP_DEV) ## Check style, format, types and who imports whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP_DEV) ## Put the code into the one format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# each file holds all that its users install, so that one pip call can check it; the first one pins for the others
# uv is all it needs: what pyproject.toml asks for by now need not be installed
lock: ## Write the lock files anew after a change in pyproject.toml; UPGRADE=--upgrade takes newer versions
	@test -x $(BIN)/uv || $(MAKE) dev
	@$(COMPILE) --output-file requirements.lock
	@$(COMPILE) --extra embedded --group build --constraint requirements.lock --output-file requirements-local.lock
	@$(COMPILE) --extra embedded --group build --group dev --constraint requirements-local.lock \
		--output-file requirements-dev.lock

clean: ## Remove .venv and what tools cached
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

dev: $(STAMP_DEV)

$(STAMP_LOCAL): requirements-local.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then echo "presswork needs Python 3.11 or newer, and here is" \
		"$$(python3 --version 2>&1): install one, or name it: make PYTHON=/path/to/python3.11"; exit 1; fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "$(PYTHON) lacks its venv module: installing python3-venv with apt"; \
			apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y python3-venv >/dev/null; \
		else echo "$(PYTHON) lacks its venv module: install the package python3-venv"; exit 1; fi; fi
	@echo "installing presswork into $(VENV) (about a minute the first time)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP_INSTALL) $(LOCKED) -r requirements-local.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation --no-index --editable .
	@$(BIN)/python -m pip check >/dev/null || { echo "pyproject.toml asks for more than the lock files hold:" \
		"run make lock"; $(BIN)/python -m pip check; exit 1; }
	@touch $@

$(STAMP_DEV): $(STAMP_LOCAL) requirements-dev.lock
	@echo "installing the tools for tests into $(VENV)"
	@$(PIP_INSTALL) $(LOCKED) -r requirements-dev.lock
	@touch $@
