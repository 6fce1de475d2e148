# Two commands: `make demo` measures the demo anew, `make test` checks everything but the long runs.
# Both make .venv when it is missing; nothing outside this folder is changed, except that
# `make test` as root on Debian installs the packages dataset-fashion-mnist, chromium,
# chromium-driver, slurm-wlm and munge if it can; what they bring is tested, and skipped without.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCAL := results/local

.PHONY: demo test test-long bench records clean

demo: $(READY)
	rm -rf $(LOCAL)
	$(BIN)/salon sweep experiment=demo paths.results=$(LOCAL) paths.cache=$(LOCAL)/cache
	$(BIN)/salon leaderboard paths.results=$(LOCAL) name=demo compare=results
	@echo "open $(LOCAL)/leaderboards/demo.html"

test: $(READY)
	@sh tests/get_fashion_mnist.sh
	@sh tests/get_chromium.sh
	@sh tests/get_slurm.sh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadgroup --no-loadscope-reorder --max-worker-restart 0

# The long runs: the largest networks and matrices, whole experiments on made files, a sweep that is killed.
test-long: $(READY)
	$(BIN)/pytest -m long

# The standard set of metrics, and extraction, against the installed peers; minutes, on a quiet machine.
bench: $(READY)
	PYTHONPATH=. $(BIN)/python tests/benchmarks/standard.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/extraction.py

# Replace the committed demo records and leaderboard by new ones, after a change that moves scores.
records: $(READY)
	rm -rf results/runs results/leaderboards
	$(BIN)/salon sweep experiment=demo paths.cache=$(LOCAL)/cache
	$(BIN)/salon leaderboard name=demo

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

clean:
	rm -rf $(VENV) $(LOCAL)
