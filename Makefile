# Five verbs: make demo test check bench docs. Needs python3 (3.11 or later) and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DATA := .cache/data
export ATOMSIGHT_DEMO_DATA := $(abspath $(DATA))
export ATOMSIGHT_EXTRA_DATA ?= $(abspath ../shared/data)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check bench docs clean

demo: $(VENV)/.installed $(DATA)/.done
	$(BIN)/atomsight validate $(DATA)/5ni1.cif $(DATA)/emd_3488.mrc -o demo-results

test: $(VENV)/.dev $(DATA)/.done
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST_OPTIONS)

check: $(VENV)/.dev $(DATA)/.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q --doctest-modules --doctest-glob='*.md' README.md docs src

bench: $(VENV)/.dev $(DATA)/.done
	$(BIN)/python benchmarks/run.py

docs: $(VENV)/.docs
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("atomsight needs Python 3.11 or later") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/.installed

$(VENV)/.docs: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	touch $@

$(DATA)/.done: demo/requirements.txt demo/get_data.py | $(VENV)/bin/python
	$(BIN)/python demo/get_data.py $(DATA)
	touch $@

clean:
	rm -rf $(VENV) .cache build dist demo-results docs/_build
