# `make demo` and `make test` do all the set-up, on a machine with just Python (3.11 or later) and git.
# Paths are relative, so that a folder with a space in its name is like any other.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

# A virtual environment knows its own place: where the folder was moved, it is made anew.
MOVED := $(shell [ ! -f $(VENV)/made ] || [ "$$(cat $(VENV)/made)" = "$$(pwd -P)" ] || rm -f $(VENV)/made)

.PHONY: demo test bench clean
.DELETE_ON_ERROR:

# Watch it work on a throw-away repository.
demo: $(VENV)/installed
	@$(RUN) -m orchestrator demo

# Every check of the project: format, lint, types, layers, dependencies, spelling, tests.
test: $(VENV)/installed-dev
	@PATH="$$PWD/$(VENV)/bin:$$PATH" scripts/check

# The figures of docs/explanation; none of them is a pass or a failure.
bench: $(VENV)/installed-dev
	@for file in tests/benchmarks/*.py; do \
		case "$$file" in */__init__.py | */_*) continue ;; esac; \
		printf '\n== %s\n' "$$file"; "$(RUN)" "$$file" || exit 1; \
	done

clean:
	rm -rf $(VENV)

$(VENV)/made:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "orchestrator needs Python 3.11 or later; '$(PYTHON)' is missing or older." >&2; \
		echo "Name another one: make demo PYTHON=python3.12" >&2; exit 1; }
	@git --version >/dev/null || { echo "orchestrator needs git: install it first." >&2; exit 1; }
	@echo "making a virtual environment in $(VENV)"
	@"$(PYTHON)" -m venv --clear $(VENV) || { \
		echo "'$(PYTHON)' has no venv; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@pwd -P > $@

$(VENV)/installed: $(VENV)/made pyproject.toml
	@echo "installing orchestrator and what it needs"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed pyproject.toml
	@echo "installing what the checks need"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
