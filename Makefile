# Everything works from a fresh clone: the targets create .venv and install what they need in it.
# Another interpreter: make test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
DEMO_RUN ?= demo-run

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs clean

help:
	@echo "make demo   install, run the demo study, print the results and the path of the report"
	@echo "make test   install, then ruff, mypy, the documentation build and the whole test suite"
	@echo "make lint   ruff and mypy only"
	@echo "make docs   build the documentation site in docs/_build/html, warnings are errors"
	@echo "make clean  remove .venv and everything that the other targets made"

demo: $(VENV)/.installed-package
	$(BIN)/microtwin demo --into $(DEMO_RUN)

test: lint docs
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: $(VENV)/.installed-checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.installed-checks
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env docs docs/_build/html
	@echo "documentation: docs/_build/html/index.html"

clean:
	rm -rf $(VENV) $(DEMO_RUN) build dist docs/_build docs/api .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: an installation is repeated only when pyproject.toml has changed since.
$(VENV)/.installed-checks: $(VENV)/.installed-package
	$(PIP) install --editable '.[test]'
	@touch $@

$(VENV)/.installed-package: $(VENV)/.created pyproject.toml
	@echo "installing microtwin and its dependencies in $(VENV) (a minute or two)"
	$(PIP) install --editable .
	@touch $@

$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed: install Python 3.11, 3.12 or 3.13, or name one with 'make PYTHON=/path/to/python3.12 ...'" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { echo "$(PYTHON) is $$($(PYTHON) --version 2>&1), but microtwin needs Python 3.11, 3.12 or 3.13: name one with 'make PYTHON=python3.12 ...'" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "$(PYTHON) cannot create virtual environments: install its venv package (on Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	@rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	@touch $@
