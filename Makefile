# `make demo` publishes the example site into a folder, `make docs` the documentation; `make test` runs the tests. Each sets up what it needs, in .venv.

PYTHON ?= python3
VENV ?= .venv
RUN = $(VENV)/bin
# one more than cores: many tests wait for servers and processes of their own
WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)
PYTEST ?= $(RUN)/python -m pytest -n $(WORKERS) --dist worksteal --reruns 2 --only-rerun TimeoutExpired --only-rerun TimeoutError

.PHONY: demo docs test test-all check compile clean

demo: $(VENV)/.demo
	$(RUN)/sitepub publish -C examples/site
	@echo
	@echo "The site is in examples/site/_published. To look at it:"
	@echo "  $(RUN)/python -m http.server 8000 --bind 127.0.0.1 --directory examples/site/_published"
	@echo "  and open http://localhost:8000/"
	@echo "Change a file in examples/site/public and run 'make demo' again: only what changed is published."

docs: $(VENV)/.docs
	PATH="$(abspath $(RUN)):$$PATH" $(RUN)/sitepub publish -C docs
	@echo "The documentation is in docs/_published. To look at it: $(RUN)/sitepub serve -C docs --no-build"

test: $(VENV)/.test check compile
	$(PYTEST) -m "not slow"

test-all: $(VENV)/.test check compile
	$(PYTEST)

# the tests start hundreds of processes, which may be told to write no bytecode
compile: $(VENV)/.test
	$(RUN)/python -m compileall -q sitepub tests

check: $(VENV)/.test
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy

$(VENV)/.demo: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("sitepub needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.test: $(VENV)/.demo
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,docs]'
	touch $@

$(VENV)/.docs: $(VENV)/.demo
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) examples/site/_published docs/_site docs/_published tests/.sites
