# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Compiled on installation.
KERNELS := hatch_build.py $(wildcard src/impasto/native/*.[ch])
# One for each core; four take 3 GB of memory.
WORKERS := -n auto --maxprocesses 4 --dist worksteal
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test test-all check docs format bench clean

demo: $(VENV)/.demo
	$(BIN)/python examples/demo.py --out out/demo.png

# Side by side, and then one after the other what needs a quiet machine: a browser, the clock.
test: $(VENV)/.test
	$(BIN)/python -m pytest $(WORKERS) -m "not slow and not alone"
	$(BIN)/python -m pytest -m "not slow and alone"

test-all: $(VENV)/.test
	$(BIN)/python -m pytest $(WORKERS) -m "not alone"
	$(BIN)/python -m pytest -m alone

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -q -j auto -b html docs docs/_build

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks.speed --page docs/performance.md
	$(BIN)/python -m benchmarks.memory --precision auto --page docs/performance.md --plot docs/images/memory.svg
	$(BIN)/python -m benchmarks.forecasts --page docs/performance.md
ifdef PAINTINGS
	$(BIN)/python -m benchmarks.iterations $(PHOTOS) $(PAINTINGS) --page docs/performance.md
endif
ifdef SMALL
	$(BIN)/python -m benchmarks.quality $(PHOTOS) $(PAINTINGS) --vgg $(VGG) --small $(SMALL) --page docs/performance.md --plot docs/images/quality.svg
endif

$(VENV)/.python:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml constraints.txt $(KERNELS)
	$(PIP) -e ".[demo]"
	touch $@

$(VENV)/.test: $(VENV)/.python pyproject.toml constraints.txt $(KERNELS)
	$(PIP) -e ".[test]"
	touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt $(KERNELS)
	$(PIP) -e ".[test,dev]"
	touch $@

$(VENV)/.docs: $(VENV)/.python pyproject.toml constraints.txt $(KERNELS)
	$(PIP) -e ".[docs]"
	touch $@

clean:
	rm -rf $(VENV) out build dist docs/_build
