# Five verbs: make demo test check bench docs. Needs python3 (3.11 or later) and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DATA := .cache/data
export ATOMSIGHT_DEMO_DATA := $(abspath $(DATA))
export ATOMSIGHT_EXTRA_DATA ?= $(abspath ../shared/data)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check bench docs study-resolution study-convergence clean

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

# Needs apoferritin (EMD-20026) in ATOMSIGHT_EXTRA_DATA, which is not part of the demo data.
APOFERRITIN := $(ATOMSIGHT_EXTRA_DATA)/emd_20026_apoferritin
study-convergence: $(VENV)/.dev $(DATA)/.done
	$(BIN)/python studies/convergence.py -o docs/studies \
	  --case apoferritin $(APOFERRITIN)/map.mrc $(APOFERRITIN)/model.pdb A 1.75 3,4,5 \
	  --case haemoglobin $(DATA)/emd_3488.mrc $(DATA)/5ni1.cif A 3.2 4,5

study-resolution: $(VENV)/.dev $(DATA)/.done
	$(BIN)/python studies/resolution_series.py -o docs/studies --atoms '//*/183/MG' \
	  --case apoferritin $(APOFERRITIN)/map.mrc $(APOFERRITIN)/model.pdb 1.75 2,2.3,2.6,3,3.1,3.5,4,4.5,5,6,7 \
	  --case haemoglobin $(DATA)/emd_3488.mrc $(DATA)/5ni1.cif 3.2 3.5,4,4.5,5,6
	$(BIN)/python studies/simulated_particles.py $(DATA)/5ni1.cif -o docs/studies

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("atomsight needs Python 3.11 or later") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev,cluster,ensemble]'
	touch $@ $(VENV)/.installed

$(VENV)/.docs: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	touch $@

$(DATA)/.done: demo/requirements.txt demo/get_data.py | $(VENV)/bin/python
	$(BIN)/python demo/get_data.py $(DATA)
	touch $@

clean:
	rm -rf $(VENV) .cache build dist demo-results docs/_build
