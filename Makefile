# Everything a developer types. Needs Python 3.11 or later and make; the rest comes by itself, into .venv.

VENV := .venv
BIN := $(VENV)/bin
WANTED := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

# The first Python that is new enough and can make a virtual environment; `make PYTHON=/path/to/python3` says which.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3 python,\
	$(shell $(name) -c "$(WANTED)" >/dev/null 2>&1 && echo $(name))))

INSTALL := $(BIN)/python -m pip --disable-pip-version-check --quiet install
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --no-header pyproject.toml

.DEFAULT_GOAL := run
export PIP_ROOT_USER_ACTION := ignore

TEST := $(BIN)/python -m pytest -n auto --no-loadscope-reorder

.PHONY: help run test test-all coverage chaos lint bench catalogue lock clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/installed-run  ## the whole desk, on PORT (8000); Ctrl-C stops it
	@$(BIN)/python manage.py up

test: $(VENV)/installed-dev  ## the tests but those in a browser, with processes and the heavy proofs; DATABASE_URL and REDIS_URL choose other servers than the built-in ones
	$(TEST) -m "not slow and not browser and not processes" $(ARGS)

test-all: $(VENV)/installed-dev  ## every test; with EXAMPLES=all Hypothesis tries five times as many examples
	$(TEST) $(ARGS)

coverage: $(VENV)/installed-dev  ## the branches that the tests reach without the heavy proofs, but with the demo
	$(TEST) -m "not slow" --cov --cov-report= --cov-fail-under=0 $(ARGS)
	$(BIN)/python -m pytest tests/config/demo --cov --cov-append --cov-report=term:skip-covered $(ARGS)

chaos: $(VENV)/installed-dev  ## everything around the desk fails for 7 minutes (DESK_CHAOS_SECONDS; on a busy machine with a slower clock, DESK_CHAOS_SPEED=5), 200 processes are killed (DESK_KILLS); on the PostgreSQL of DATABASE_URL, else on one of its own
	@case "$$DATABASE_URL" in postgres*://*|psql://*|pgsql://*) ON= ;; *) ON="$(BIN)/python -m tests.support.own_postgres" ;; esac; \
	DESK_KILLS=$${DESK_KILLS:-200} DESK_CHAOS_SECONDS=$${DESK_CHAOS_SECONDS:-440} \
		$$ON $(BIN)/python -m pytest tests/test_desk_under_chaos.py tests/test_engine_under_chaos.py -s $(ARGS)

lint: $(VENV)/installed-dev  ## style, types, layers, forgotten migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

bench: $(VENV)/installed-dev  ## what the engine costs at 1k, 100k and 1M open cases (SIZES), beside hand-written SQL
	$(BIN)/python -m tests.bench $(SIZES)

catalogue: $(VENV)/installed-dev  ## what customers read in Japanese, in step with the code and compiled; says what is not translated yet
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m tests.catalogue

lock: $(VENV)/installed-dev  ## read pyproject.toml anew; what is locked stays unless it must change (UPGRADE=--upgrade)
	$(COMPILE) $(UPGRADE) --output-file requirements.lock
	$(COMPILE) $(UPGRADE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	@! grep -nE '[a-z]+://' requirements.lock requirements-dev.lock || { echo "A lock file names an address." >&2; exit 1; }

clean:  ## the virtual environment and caches; the desk's data in .var stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@if [ -z "$(strip $(PYTHON))" ]; then \
		echo "Support Desk needs Python 3.11 or later with venv: install it, or name one with make PYTHON=/path/to/python3." >&2; \
		exit 1; \
	elif ! $(PYTHON) -c "$(WANTED)" >/dev/null 2>&1; then \
		echo "$(PYTHON) is not a Python 3.11 or later with venv; name another with make PYTHON=/path/to/python3." >&2; \
		exit 1; \
	fi
	@echo "Making the virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# A stamp is as new as the lock file that was installed last.
$(VENV)/installed-run: requirements.lock | $(BIN)/python
	@echo "Installing what the desk needs ..."
	@$(INSTALL) --require-hashes --requirement requirements.lock
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock | $(BIN)/python
	@echo "Installing what the tests need ..."
	@$(INSTALL) --require-hashes --requirement requirements-dev.lock
	@touch $@
