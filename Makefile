# `make demo` and `make test` are all a newcomer needs; both build .venv from the locked wheels first.
PYTHON ?= python3
BIN := .venv/bin
TEST_WORKERS ?= 2

.PHONY: demo test chaos check format lock

.venv/installed: locks/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("TRM needs Python 3.11 or later, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "Building .venv from $<: once, and a few minutes where the network is slow."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/dev.txt \
		|| { echo "The packages of $< did not come: is this machine online? make goes on where it was."; exit 1; }
	@touch $@

demo: .venv/installed  ## Rally Albania 2026 live, e.g. make demo DEMO_ARGS="--entries 40 --speed 30"
	$(BIN)/python manage.py demo $(DEMO_ARGS)

test: .venv/installed  ## the whole suite on real PostgreSQL and Valkey, e.g. make test TEST_ARGS=apps/timing TEST_WORKERS=0
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile $(TEST_ARGS)

chaos: .venv/installed  ## the pipeline under fire, whole; CHAOS_SEED=… repeats the course of an earlier run
	CHAOS_RECORDS=$${CHAOS_RECORDS:-200000} $(BIN)/python -m pytest -s apps/telemetry/tests/test_chaos.py

check: .venv/installed  ## style, types, import order, migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy apps trm tests benchmarks manage.py
	$(BIN)/python manage.py check
	$(BIN)/python manage.py makemigrations --check --dry-run

format: .venv/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:  ## needs uv
	uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-emit-find-links -q -o locks/base.txt
	uv pip compile pyproject.toml --extra dev --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-emit-find-links -q -o locks/dev.txt
