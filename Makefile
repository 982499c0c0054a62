# One entry for people, CI and the image: `make help` lists what there is.
# A make that another make starts must not add lines of its own to what a target prints last.
MAKEFLAGS += --no-print-directory
VENV ?= .venv
PYTHON ?= python3
JOBS ?= 2
PORT ?= 8000
PY = $(VENV)/bin/python
LOCKS = requirements-build.txt requirements.txt requirements-test.txt requirements-lint.txt
INSTALLED = $(VENV)/.installed
IN_BROWSER = every_page handlers_day whole_day inbox_day interrupted two_records colleagues partners_day supervisors_day offices_day without_hands bytes_over_the_line studio_editor studio_changes studio_day
QUICK = $(addprefix tests/,rules expressions engine countries architecture actions)

export PORT

.DEFAULT_GOAL := help
.PHONY: help setup run demo-case test quick lint migration format bench soak soak-ci smoke print-check examples-check image-check browser browser-ci screenshots editor editor-check docs-check lock clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED)  ## Make .venv from the hash-locked requirements, again only when a lock changed

$(INSTALLED): $(LOCKS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 …")'
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes $(LOCKS:%=-r %)
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-index --no-build-isolation -e .
	$(PY) -m pip check
	@touch $@

run: setup  ## Start web and runner with demo data (PORT, NRM_DATABASE_URL, NRM_DATA_DIR); Ctrl-C stops both
	$(PY) -m api.demo

demo-case: setup  ## Walk one case over HTTP from an arrival list to closed; uses the service at PORT, or starts one
	$(PY) -m api.demo.case

test: setup  ## Every test, on SQLite and on a PostgreSQL that pip brings (or NRM_TEST_PG_URL)
	$(PY) -m pytest -n $(JOBS)

quick: setup  ## The tests that take seconds, on SQLite only: rules, language, engine, actions, the house's own rules
	$(PY) -m pytest -n $(JOBS) -m "not slow" -k "not postgresql" $(QUICK)

lint: setup  ## Style, format, strict types, import contracts
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

migration: setup  ## Write a migration from the models: MESSAGE="Add …", or REWRITE=1 for 0001 before the first release
	$(PY) -m nrm.migrations.write $(if $(REWRITE),--rewrite,"$(MESSAGE)")

format: setup  ## Rewrite the sources in the house format
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: setup  ## Measure against bare libraries; prints a table, writes build/bench.json (BENCH="--only b --quick")
	$(PY) -m tests.load.bench $(BENCH)

soak: setup  ## Crash test: 50 times kill -9 under load, on both databases; 10,000 cases moved; then every route for every role and scope
	$(PY) -m tests.load.soak
	$(PY) -m tests.load.soak_webhooks
	$(PY) -m tests.load.soak_moving
	NRM_WHOLE=1 $(PY) -m pytest tests/api/test_matrix.py tests/api/test_document.py

soak-ci: setup  ## The crash test with 5 kills
	$(PY) -m tests.load.soak --kills 5
	$(PY) -m tests.load.soak_webhooks --events 300 --kills 3
	$(PY) -m tests.load.soak_moving --runs 300 --kills 1

smoke: setup  ## make run, make demo-case, Ctrl-C, nothing left; on SQLite and on PostgreSQL
	$(PY) -m tests.smoke
	$(PY) -m tests.smoke --postgresql

print-check: setup  ## Set every letter as PDF, read it back, keep pictures in build/letters (needs Pango of the system)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-paper.txt
	$(PY) -m pytest tests/paper/letters_on_paper.py

examples-check: setup  ## Run the partner documentation's examples for the command line and PHP (needs curl, jq, php)
	$(PY) -m pytest tests/partner/examples_in_shell.py

image-check:  ## Run the image's steps by hand in a clean Debian folder (root, debootstrap)
	docker/image_check.sh

# The part that CI runs: a handler's days in three languages, and the limits of bytes. The whole takes eight minutes more.
IN_BROWSER_CI = handlers_day whole_day bytes_over_the_line

browser: setup  ## Pages in Chromium: for everybody, on small phones, in a power cut, on a thin line (needs chromium of the system)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-browser.txt
	$(PY) -m pytest $(IN_BROWSER:%=tests/browser/%.py)

browser-ci: setup  ## The part of `make browser` that CI runs
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-browser.txt
	$(PY) -m pytest $(IN_BROWSER_CI:%=tests/browser/%.py)

screenshots: setup  ## Take the pictures of the handler's guide again, in docs/guide (needs chromium of the system)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-browser.txt
	$(PY) -m tests.browser.screenshots

editor:  ## Build the path editor from api/editor into api/static/editor (needs node 20 or newer and npm)
	npm --prefix api/editor install --no-save --no-audit --no-fund
	npm --prefix api/editor run build

editor-check: setup  ## Every diagram through plain readers and writers of BPMN; conditions and reachability of the editor (needs node, npm)
	npm --prefix api/editor install --no-save --no-audit --no-fund
	npm --prefix api/editor run check
	$(PY) -m pytest tests/browser/editor_round_trips.py

docs-check: setup  ## Links, commands and words of the documentation
	$(PY) -m pytest tests/architecture/test_docs.py

lock: build/lock/bin/pip-compile  ## Pin every dependency again, with hashes
	.ci/lock.sh build/lock/bin/pip-compile

build/lock/bin/pip-compile:
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet "pip-tools==7.6.2"

clean:  ## Remove what was built; keeps .venv and the data folder
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find nrm api tests -name __pycache__ -type d -prune -exec rm -rf {} +
