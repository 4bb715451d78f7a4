# Everything a person does with this repository: `make lab` opens the lessons, `make test` runs every check.
# Both make the environment (.venv) first; that is quick when nothing changed. What can't go on says why in one line.

VENV := .venv
BIN := $(VENV)/bin
NOTEBOOKS := $(wildcard notebooks/*.ipynb)

# Options, given as `make lab PORT=8899`:
#   PYTHON      the interpreter the environment is made from   (the first one found that is new enough)
#   PORT        the port of JupyterLab                          (the next free one from 8888 on)
#   NO_BROWSER  1: do not open a browser, print the address     (open one)
#   OPTS        passed on as they are: `make lab` to JupyterLab, `make check`, `make test` to pytest, `make kernels`, `make editions`
#   LESSONS     for `make notebooks`: which ones                (all)
LESSONS ?= $(NOTEBOOKS)
OPTIONS := PYTHON PORT NO_BROWSER OPTS LESSONS

# One file's tests together: a notebook and a browser are then started once. A worker more than there are cores, since
# many tests wait for a server or a page; the slow files first (tests/conftest.py), so that no worker is left with one.
WORKERS = -n $(shell echo $$(($$(nproc 2>/dev/null || echo 2) + 1))) --dist loadfile --no-loadscope-reorder

.PHONY: help env lab test check lint types contract unit lessons notebooks fmt bench mutants problems recordings kernels editions build lock lowest clean FORCE
.NOTPARALLEL:
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'
	@sed -n '/^# Options/,/^LESSONS/s/^#//p' Makefile

# A misspelt option would be ignored by make, and a misspelt target answered in make's own words.
UNKNOWN := $(filter-out $(OPTIONS),$(foreach v,$(.VARIABLES),$(if $(filter command line,$(origin $(v))),$(if $(filter MAKE% -%,$(v)),,$(v)))))
ifneq ($(strip $(UNKNOWN)),)
$(error make knows no option '$(firstword $(UNKNOWN))': there are $(OPTIONS))
endif

.DEFAULT:
	@:$(error there is no 'make $@': `make help` lists what there is)

# --- the environment -------------------------------------------------------------------------------------------

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
# Looked for once, and only when an environment is to be made.
BASE = $(eval BASE := $$(or $$(PYTHON),$$(shell { for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	"$$$$p" -c '$$(NEW_ENOUGH)' && { echo "$$$$p"; break; }; done; } 2>/dev/null),python3))$(BASE)
NEEDS = $(shell { \
	if ! command -v "$(BASE)"; then \
		echo "vmalab needs Python 3.11 or newer and there is no '$(BASE)' here: install python3, or say which with PYTHON=..." >&3; \
	elif ! "$(BASE)" -c '$(NEW_ENOUGH)'; then \
		echo "vmalab needs Python 3.11 or newer and '$(BASE)' is not: install one, or say which with PYTHON=..." >&3; \
	elif ! "$(BASE)" -c 'import venv, ensurepip'; then \
		echo "'$(BASE)' has no venv and ensurepip to make an environment with: on Debian and Ubuntu, apt install python3-venv" >&3; \
	fi; } 3>&1 >/dev/null 2>&1)

# The stamp's name holds a checksum of what the environment is made from, so it is remade when that changes: the
# versions, and of pyproject.toml what stands before the settings of the tools.
STAMP := $(VENV)/.made-from-$(shell sed '/^\[tool\.pytest/,$$d' pyproject.toml | cat - constraints.txt | cksum | tr -d ' ')

# An interpreter that was asked for by name replaces an environment made from another version.
ifdef PYTHON
VERSION := -c 'import sys; print(sys.version)'
ifneq ($(shell { "$(PYTHON)" $(VERSION); } 2>/dev/null),$(shell { $(BIN)/python $(VERSION); } 2>/dev/null))
$(STAMP): FORCE
REMAKE := --clear
endif
endif

env: $(STAMP)  ## make the environment in .venv, with everything in it

$(STAMP):
	@$(if $(NEEDS),$(error $(NEEDS)))test -n "$(REMAKE)" || $(BIN)/python -m pip --version >/dev/null 2>&1 \
		|| rm -rf $(VENV)
	@test -z "$(REMAKE)" || rm -rf $(VENV)
	@test -d $(VENV) || { echo "making $(VENV) with $(BASE) (a minute or two, once)"; "$(BASE)" -m venv $(VENV); }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]' \
		|| { echo "the packages could not be installed (pip says why above): is there a network?" >&2; exit 1; }
	@rm -f $(VENV)/.made-from-* && touch $(STAMP)

# --- the lessons -----------------------------------------------------------------------------------------------

# Asked beforehand, so that make says it in one line of its own.
PORT_TAKEN = $(shell $(BIN)/python -c 'import sys; from vmalab.cli.lab import port_is_free; \
	sys.exit(not port_is_free(sys.argv[1]))' "$(PORT)" 2>/dev/null || echo taken)

# The command that an installed package has too; here the lessons are opened where they lie, and nothing is copied.
LAB = $(BIN)/vmalab lab notebooks
LAB_OPTS = $(if $(PORT),--port $(PORT)) $(if $(filter 1,$(NO_BROWSER)),--no-browser) $(if $(OPTS),-- $(OPTS))

lab: env  ## open the lessons in JupyterLab
	@$(if $(PORT),$(if $(PORT_TAKEN),$(error port $(PORT) can not be had: choose another one, or leave PORT= out and the next free one is taken)))exec $(LAB) $(LAB_OPTS)

notebooks: env  ## run the lessons again and store their outputs
	@$(BIN)/python tests/tools/execute_notebooks.py $(LESSONS)

# --- the checks ------------------------------------------------------------------------------------------------

# What Jupyter keeps for itself while the tests run goes here and not into anybody's home.
test check lessons: export IPYTHONDIR := $(CURDIR)/$(VENV)/ipython
test check lessons: export JUPYTER_RUNTIME_DIR := $(CURDIR)/$(VENV)/runtime

test: env lint types contract  ## run every check there is
	$(BIN)/python -m pytest $(WORKERS) $(OPTS)
	@$(MAKE) --no-print-directory lessons

check: env lint types contract  ## the inner loop, under a minute: no browser, no notebooks, nothing slow
	$(BIN)/python -m pytest -q $(WORKERS) -m "not browser and not notebook and not slow" $(OPTS)

lint: env  ## style: ruff
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check . || { echo "ruff: see above; 'make fmt' mends most of it" >&2; exit 1; }

types: env  ## types: mypy --strict on vmalab/
	@$(BIN)/mypy

contract: env  ## who may import whom: import-linter
	@$(BIN)/lint-imports --no-cache --no-logo

# A lesson without stored outputs would pass strict nbval: it is refused in the same run.
STORED := tests/test_notebooks_stored.py::test_a_lesson_holds_the_outputs_of_one_run

lessons: env  ## every lesson again, its outputs held against the stored ones
	$(BIN)/python -m pytest -q --nbval --nbval-current-env $(WORKERS) $(NOTEBOOKS) $(STORED)

fmt: env  ## format the code, mend what ruff can mend
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

# --- now and then ----------------------------------------------------------------------------------------------

bench: env  ## costs of the model against the real calls of this machine; from a key press to the picture in a browser
	$(BIN)/python -m pytest -q tests/benchmarks --benchmark-only --benchmark-timer=time.process_time \
		--benchmark-columns=min,median,rounds $(OPTS)

mutants: env  ## thirty small faults in the model, one at a time: the tests must catch each
	@$(BIN)/python tests/tools/mutate.py

problems: env  ## make 10,000 problems of each level and look at each (some 15 minutes; OPTS="--count 500 --level 3")
	@$(BIN)/python tests/tools/survey_problems.py $(OPTS)

recordings: env  ## ask real kernels again what the lessons ask: this one, which must be 6.18.44, and four in QEMU
	@$(BIN)/python -m tests.tools.lesson_programs
	@mkdir -p build/lessons
	@$(BIN)/vmalab record data/scenarios/lessons/*.json -o build/lessons/6.18.44.json.xz
	@$(BIN)/python -m tests.kernels --release 6.12.107 --release 6.16 --release 6.17 --release 7.3 --output build/lessons \
		--against model $$(printf -- '--scenarios %s ' data/scenarios/lessons/*.json)
	@$(BIN)/python -m tests.tools.lesson_recordings build/lessons

kernels: env  ## real kernels in QEMU against the model (not in make test; OPTS, see CONTRIBUTING.md)
	@$(BIN)/python -m tests.kernels $(if $(findstring --against,$(OPTS)),,--against model) $(OPTS)

editions: env  ## the course for a class and as pages, in build/ (OPTS=site: that one; OPTS=--help)
	@$(BIN)/vmalab build $(OPTS)

build: env  ## a wheel and an sdist in dist/
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps -w dist .

lock:  ## write constraints.txt anew from the newest versions that fit
	@sh tests/tools/lock.sh $(BASE)

lowest:  ## the tests with the oldest versions that pyproject.toml permits (10 minutes and more)
	@sh tests/tools/lowest.sh $(BASE)

clean:  ## remove the environment and everything the tools left behind
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
