# Two commands do everything: `make demo` and `make test`. Each sets up what it lacks.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# the programs below use one core per process; RELION is told how many it may use
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
# files of tests that run at once
WORKERS ?= 2

.PHONY: help demo tutorial test unit lint gui gui-test gui-tutorial bench faults relion clean

help:
	@echo "make demo   the main job on simulated data, in a Scipion project (first run: sets up all it needs)"
	@echo "make tutorial  the whole tutorial on simulated data with wrong defocus and alignment (a quarter of an hour)"
	@echo "make test   every test"
	@echo "make unit   the quick tests (no RELION)"
	@echo "make lint   style and types"
	@echo "make bench  time the converters, beside those of scipion-em-reliontomo"
	@echo "make faults  kills, full disks, hostile names and torn files on purpose (up to an hour; SEED=2 draws others)"
	@echo "make gui-test  the tests of windows, with pictures of them in gui-test/"
	@echo "make gui    open the demo's project in Scipion (make gui-tutorial: the tutorial's)"

demo: relion
	@$(PY) -m relionsta demo --folder demo

tutorial: relion
	@$(PY) -m relionsta tutorial --folder tutorial

test: lint relion
	@$(PY) -m pytest -q -n $(WORKERS) --dist loadfile --durations=15 relionsta/tests

unit: $(VENV)/ready
	@$(PY) -m pytest -q -n $(WORKERS) --dist loadfile relionsta/tests/unit

lint: $(VENV)/ready
	@$(PY) -m ruff check relionsta setup.py
	@$(PY) -m mypy

gui-test: relion
	@mkdir -p gui-test
	@RELIONSTA_PICTURES=$(CURDIR)/gui-test $(PY) -m pytest -q relionsta/tests/gui

gui: relion
	@$(PY) -m relionsta gui --folder demo

gui-tutorial: relion
	@$(PY) -m relionsta gui --folder tutorial

bench: $(VENV)/ready
	@$(PY) -m relionsta bench --folder bench

SEED ?= 1
faults: relion
	@$(PY) -m relionsta.tests.faults --folder faults --seed $(SEED) --readme README.md

relion: $(VENV)/ready
	@$(PY) -m relionsta install-relion

$(VENV)/ready: setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 8))' || \
	  { echo "Python 3.8 or newer is needed; name one with PYTHON=..."; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Python's venv module is missing: install it (Debian: apt-get install python3-venv), or name another Python with PYTHON=..."; exit 1; }
	@echo "Installing the plugin and Scipion into $(VENV) ..."
	@$(PY) -m pip install -q --disable-pip-version-check -e '.[dev]' > $(VENV)/pip.log 2>&1 || { tail -n 5 $(VENV)/pip.log; \
	  echo "The Python packages could not be installed: check the network (the log is $(VENV)/pip.log), then run make again."; exit 1; }
	@$(PY) -m relionsta install-tk
	@touch $@

clean:
	rm -rf $(VENV) demo tutorial gui-test faults .pytest_cache .mypy_cache .ruff_cache *.egg-info
