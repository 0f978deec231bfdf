# Every command a person or CI needs. `make run` is the way in on a fresh machine with Python 3.11 or newer.

SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
PLOTLY := static/vendor/plotly.min.js
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help run setup fuzz test check types lint imports migrations e2e bench soak

help:
	@echo "make run    prepare everything, learn once on the bundled scenarios, serve http://127.0.0.1:8000"
	@echo "make setup  the environment only, in $(VENV)"
	@echo "make test   the test suite      make e2e    in a real browser, by curl, by a generated client"
	@echo "make check  lint, types, imports, migrations      make bench  benchmarks"
	@echo "make fuzz   10,000 made-up requests to the API, by every role and by nobody"
	@echo "make soak   10,000 runs while the Sensor is killed and the database is restarted; a campaign under kills"

run: setup
	@$(PY) manage.py prepare
	@$(PY) manage.py first_run
	@$(PY) manage.py ensure_admin
	@$(PY) manage.py up

setup: $(STAMP) $(PLOTLY)
	@mkdir -p staticfiles

# Only the list of pyproject.toml is installed, no package of our own: nothing has to be built, on any machine.
$(STAMP): pyproject.toml constraints.txt .ci/requirements.py .ci/find_python
	@test -x $(PY) || { python=$$(sh .ci/find_python) || exit 1; "$$python" -m venv $(VENV); } || { \
	  echo "error: cannot make $(VENV); on Debian: apt install python3-venv" >&2; rm -rf $(VENV); exit 1; }
	@echo "Installing the dependencies into $(VENV); this takes about a minute."
	@$(PY) .ci/requirements.py > $(VENV)/requirements.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -r $(VENV)/requirements.txt
	@touch $@

$(PLOTLY): $(STAMP)
	@mkdir -p $(@D)
	@cp "$$($(PY) -c 'from importlib.util import find_spec; print(find_spec("plotly").submodule_search_locations[0])')/package_data/plotly.min.js" $@

test: setup
	$(PY) -m pytest -n $(WORKERS) -m "not e2e"

# The parts of `check` are independent, so they share the cores.
check: setup
	@$(MAKE) --no-print-directory -j2 --output-sync=target types lint imports migrations

types:
	$(PY) -m mypy .

lint:
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

imports:
	$(VENV)/bin/lint-imports --no-cache

migrations:
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py check
	@.ci/production $(PY) manage.py check --deploy --fail-level WARNING

e2e: setup
	$(PY) -m pytest -m e2e

# Made-up requests to every operation, by nobody and by every role; FUZZ_CASES=40 makes more of them.
fuzz: setup
	FUZZ_CASES=$${FUZZ_CASES:-25} $(PY) -m pytest -q -s -p no:randomly --log-level=CRITICAL tests/api/test_fuzz.py

bench: setup
	$(PY) manage.py bench

soak: setup
	$(PY) manage.py soak sensor
	$(PY) manage.py soak campaign
