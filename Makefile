# `make demo` and `make test` do all the set-up, on a machine with just Python (3.11 or later) and git.
# Paths are relative, so that a folder with a space in its name is like any other.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
REAL := .real

# A virtual environment knows its own place: where the folder was moved, it is made anew.
MOVED := $(shell [ ! -f $(VENV)/made ] || [ "$$(cat $(VENV)/made)" = "$$(pwd -P)" ] || rm -f $(VENV)/made)

.PHONY: demo test test-real real-tools bench prices clean
.DELETE_ON_ERROR:

# Watch it work on a throw-away repository.
demo: $(VENV)/installed
	@$(RUN) -m orchestrator demo

# Every check of the project: format, lint, types, layers, dependencies, spelling, tests.
test: $(VENV)/installed-dev
	@PATH="$$PWD/$(VENV)/bin:$$PATH" scripts/check

# Drives the real claude and codex through the daemon: on a model API of ours, without an account, a cost or a network.
test-real: $(VENV)/installed-dev $(REAL)/installed
	@ORCHESTRATOR_REAL_CLIS="$$PWD/$(REAL)/node_modules/.bin" $(RUN) -m pytest tests/real

# Installs them at the versions of tests/real/package.json, into a folder that git does not see. Needs npm and node.
real-tools: $(REAL)/installed

# The figures of docs/explanation; none of them is a pass or a failure.
bench: $(VENV)/installed-dev
	@for file in tests/benchmarks/*.py; do \
		case "$$file" in */__init__.py | */_*) continue ;; esac; \
		printf '\n== %s\n' "$$file"; "$(RUN)" "$$file" || exit 1; \
	done

# Makes the price table that ships with the program anew, from the package genai-prices as it is published now.
prices: $(VENV)/made
	@$(RUN) -m venv --clear $(VENV)/prices
	@$(VENV)/prices/bin/python -m pip install --quiet --disable-pip-version-check --upgrade '.[prices]'
	@PYTHONPATH="$$PWD" $(VENV)/prices/bin/python scripts/prices

clean:
	rm -rf $(VENV) $(REAL)

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

# npm runs no script of a package here; the one that is needed puts the native claude where its name points to.
$(REAL)/installed: tests/real/package.json tests/real/package-lock.json
	@npm --version >/dev/null && node --version >/dev/null || { \
		echo "the real tools come from npm: install node (22 or later) with npm first." >&2; exit 1; }
	@echo "installing the real tools in $(REAL)"
	@mkdir -p $(REAL)
	@cp tests/real/package.json tests/real/package-lock.json $(REAL)
	@cd $(REAL) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@cd $(REAL) && node node_modules/@anthropic-ai/claude-code/install.cjs
	@touch $@
