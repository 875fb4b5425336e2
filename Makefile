# What people type. Needs Python 3.11 or newer and make; everything else goes into .venv.
#   make demo     one sample week: bounces, incidents, replies and a digest to look at
#   make quick    the tests for the loop of work: no servers, nothing slow, under a minute
#   make test     all tests, with a real Dovecot, Postfix and PostgreSQL where they can be installed
#   make test-postgres  all tests again, with their stores at PostgreSQL
#   make proof    the long proofs: hundreds of kills, a year of days, big mailboxes
#   make check    style, types, import rules, documents, translations
#   make reference  writes what is generated: reference pages, manual pages, completions
#   make screens    writes what every command shows at three widths, to be looked at
#   make messages   brings the translators' catalogs up to date with the English texts
#   make docs       the documentation as a site, in site/
#   make audit    licenses of all dependencies, and known vulnerabilities where advisories can be reached
#   make floors   the quick tests with the lowest versions that pyproject.toml admits
#   make bench    how fast mail is read, beside three other readers, and mailboxes are worked off
#   make install  the environment for developing; make clean removes it

VENV := .venv
BIN := $(VENV)/bin
CANDIDATES := python3 python3.13 python3.12 python3.11
SOUND := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in $(CANDIDATES); do \
	"$$name" -c '$(SOUND)' 2>/dev/null && echo "$$name" && break; done)
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PYTEST_FLAGS ?= -n 3 --dist loadgroup --no-loadscope-reorder
# Folders or files for `make test` and `make test-postgres`; all unless told otherwise.
TESTS ?=

# Hundreds of processes of the tests would compile our modules again each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo install venv quick test test-postgres proof check reference screens messages docs bench clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.runtime
	$(BIN)/bounce-watch demo

install venv: $(VENV)/.dev

# What turns out to take more than two seconds is listed: mark it slow.
quick: $(VENV)/.dev
	$(BIN)/python -m pytest -q $(PYTEST_FLAGS) -m "not proof and not servers and not slow" \
		--durations 10 --durations-min 2

test: $(VENV)/.dev
	tools/install_servers.sh
	$(BIN)/python -m pytest $(PYTEST_FLAGS) $(TESTS)

test-postgres: $(VENV)/.dev
	tools/install_servers.sh
	$(BIN)/python -m pytest $(PYTEST_FLAGS) --store postgres $(TESTS)

proof: $(VENV)/.dev
	tools/install_servers.sh
	$(BIN)/python -m pytest -m proof --timeout 1800 -s

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tools benchmarks
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/make_reference.py --check
	$(BIN)/python tools/check_docs.py
	$(BIN)/python tools/messages.py --check

reference: $(VENV)/.dev
	$(BIN)/python tools/make_reference.py

screens: $(VENV)/.dev
	$(BIN)/python -m tests.cli.test_screens

messages: $(VENV)/.dev
	$(BIN)/python tools/messages.py

docs: $(VENV)/.dev
	$(PIP) install --group docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --clean
	@echo "Open site/index.html"

audit: $(VENV)/.dev
	$(PIP) install --group audit
	$(BIN)/python tools/audit_dependencies.py

# In an environment of its own, below the usual one.
floors: $(VENV)/.dev
	$(BIN)/python tools/audit_dependencies.py --lowest > $(VENV)/lowest.txt
	$(BIN)/python -m venv $(VENV)/floors
	$(VENV)/floors/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(VENV)/floors/bin/python -m pip install --quiet --constraint $(VENV)/lowest.txt --editable . --group dev
	$(VENV)/floors/bin/python -m pytest -q $(PYTEST_FLAGS) -m "not proof and not servers and not slow"

bench: $(VENV)/.dev
	$(PIP) install --group bench
	$(BIN)/python benchmarks/bench_reading.py
	$(BIN)/python benchmarks/bench_hostile.py
	$(BIN)/python benchmarks/bench_store.py
	tools/install_servers.sh
	$(BIN)/python benchmarks/bench_mailbox.py
	$(BIN)/python benchmarks/bench_huge_mailbox.py
	$(BIN)/python benchmarks/bench_peek.py

clean:
	rm -rf $(VENV) build dist site demo-output .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# The stamps say that an environment matches pyproject.toml; a second call has nothing to do.
$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with its venv module is needed." \
		"On Debian or Ubuntu: apt-get install python3 python3-venv. Or name one: make PYTHON=/path/to/python3.12" >&2; \
		exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml | $(VENV)/bin/python
	$(PIP) install --editable .
	@touch $@

# pip 25.1 is the first that knows dependency groups.
$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(PIP) install --upgrade "pip>=25.1"
	$(PIP) install --editable . --group dev
	@touch $@ $(VENV)/.runtime
