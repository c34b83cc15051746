# `make demo` and `make test` do everything on a machine with python3, g++ and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
NATIVE := $(wildcard cmake/*) $(shell find cpp src -name '*.[ch]pp' -o -name '*.h' -o -name '*.pyx' -o -name '*.pxd')

.DEFAULT_GOAL := help
.PHONY: help build demo test test-all fuzz fuzz-asan asan cpp-test latency tsan bench accuracy lint wheel clean

help:  ## what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# Every tool the build needs, ninja and cmake included, comes from PyPI into the project's own environment.
$(VENV)/.dependencies: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --group dev
	@touch $@

# Editable: Python edits need no step; a native edit recompiles only what it touches (the build folder is kept). The C++
# tests (`make cpp-test`) are built there too, from the same objects.
BUILD := build/editable/Release
OPTIONS := build-dir=$(BUILD) cmake.define.MLWRIGHT_WERROR=ON cmake.define.MLWRIGHT_BUILD_TESTS=ON
$(VENV)/.built: $(VENV)/.dependencies CMakeLists.txt pyproject.toml $(NATIVE)
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/pip install --quiet --no-build-isolation $(OPTIONS:%=--config-settings=%) --editable ".[cli]"
	@touch $@

build: $(VENV)/.built  ## set up and build

# A table that scikit-learn ships, without the bother of a download; its last rows stand for new ones.
DEMO_TABLES := import polars as pl; from sklearn.datasets import load_breast_cancer; data = load_breast_cancer(); \
  table = pl.DataFrame(data.data, schema=[name.replace(" ", "_") for name in data.feature_names]); \
  table.tail(20).write_csv("demo/new_rows.csv"); \
  table.with_columns(diagnosis=pl.Series(data.target_names[data.target])).write_csv("demo/breast_cancer.csv")

demo: build  ## fit a table, look at the model, predict with it (in demo/)
	mkdir -p demo
	$(BIN)/python -c '$(DEMO_TABLES)'
	$(BIN)/mlwright fit demo/breast_cancer.csv --target diagnosis --out demo/model.mlw --report demo/report.html
	$(BIN)/mlwright info demo/model.mlw
	$(BIN)/mlwright predict demo/model.mlw demo/new_rows.csv --out demo/predictions.csv
	head -4 demo/predictions.csv

# What measures time runs alone; the rest in two processes, the one that is done taking work from the other. OpenMP's
# threads, which spin while they wait, would keep each other from the two cores: one for each process.
test: build cpp-test  ## set up, build, run the tests
	$(BIN)/python -m pytest -q -m "alone and not slow"
	OMP_NUM_THREADS=1 MLWRIGHT_NUM_THREADS=2 $(BIN)/python -m pytest -q -m "not slow and not alone" -n 2 --dist worksteal

test-all: build  ## the slow statistical, fuzz and packaging tests too
	HYPOTHESIS_PROFILE=ci $(BIN)/python -m pytest

fuzz: build  ## damaged model files, own and of other libraries: COUNT of each example, from number SEED on
	HYPOTHESIS_PROFILE=nightly MLWRIGHT_FUZZ=$(or $(COUNT),20000) MLWRIGHT_SEED=$(or $(SEED),1000000) $(BIN)/python -m pytest tests/io/test_safety.py tests/deploy/test_safety.py -k test_fuzz

fuzz-asan: $(VENV)/.dependencies  ## the same under AddressSanitizer and UBSan
	MLWRIGHT_FUZZ=$(or $(COUNT),5000) MLWRIGHT_SEED=$(or $(SEED),1000000) cpp/tests/asan.sh $(VENV) -m slow tests/io/test_safety.py tests/deploy/test_safety.py -k test_fuzz

cpp-test: build  ## the C++ unit tests alone
	$(BIN)/cmake --build $(BUILD) --target mlwright_tests
	$(BIN)/ctest --test-dir $(BUILD) --output-on-failure

latency: build  ## what an empty parallel region costs, ours and others
	$(BIN)/cmake --build $(BUILD) --target mlwright_region_latency
	$(BUILD)/cpp/tests/mlwright_region_latency

tsan: $(VENV)/.dependencies  ## the C++ tests under ThreadSanitizer
	@PATH="$(abspath $(BIN)):$$PATH" cmake -G Ninja -S . -B build/tsan -DMLWRIGHT_BUILD_PYTHON=OFF -DMLWRIGHT_BUILD_TESTS=ON \
	  -DMLWRIGHT_SANITIZE=thread
	$(BIN)/cmake --build build/tsan --target mlwright_tests
	TSAN_OPTIONS=halt_on_error=1 build/tsan/cpp/tests/mlwright_tests

asan: $(VENV)/.dependencies  ## the C++ tests and the suite under AddressSanitizer and UBSan: TESTS="tests/io" picks
	cpp/tests/asan.sh $(VENV) $(TESTS)

# The peers live in an environment of their own, which has its own build of mlwright too.
BENCH := .venv-bench
$(BENCH)/.dependencies: benchmarks/requirements.txt pyproject.toml
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/pip install --quiet --upgrade "pip>=25.1"
	$(BENCH)/bin/pip install --quiet --group build -r benchmarks/requirements.txt
	$(BENCH)/bin/pip install --quiet "numpy>=2.1"  # adelie asks for less and runs with it, stochtree fails with less
	@touch $@

$(BENCH)/.built: $(BENCH)/.dependencies CMakeLists.txt $(NATIVE)
	PATH="$(abspath $(BENCH)/bin):$$PATH" $(BENCH)/bin/pip install --quiet --no-build-isolation --config-settings=build-dir=build/bench --editable .
	@touch $@

bench: $(BENCH)/.built  ## measure against the peers: ONLY="ols sklearn" picks problems and libraries, QUICK=1 small shapes
	$(BENCH)/bin/python -m benchmarks $(ONLY) $(if $(QUICK),--quick)

accuracy: $(BENCH)/.built  ## held-out loss of boosting against the peers', over many tables and seeds
	$(BENCH)/bin/python -m benchmarks.accuracy

lint: $(VENV)/.dependencies  ## ruff over everything
	$(BIN)/ruff check .

wheel: $(VENV)/.dependencies  ## a wheel and a source distribution in dist/, built in isolation
	$(BIN)/python -m build

clean:  ## remove what was built; keeps the environment
	rm -rf build $(VENV)/.built
