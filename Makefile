# Every target does its own set-up: a virtual environment, dependencies, git-lfs.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: help demo test lint format bench wheel-smoke docs git-lfs system clean

help:            ## show this help
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*##/\t/' | expand -t 14

demo: $(VENV)/.demo git-lfs          ## the whole story on a real trained model
	@$(BIN)/gitmodel demo

test: $(VENV)/.test system git-lfs  ## run the test suite
	$(BIN)/python -m pytest -q -n auto $(TESTS)

lint: $(VENV)/.lint                  ## ruff, mypy, import-linter, codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

format: $(VENV)/.lint                ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.bench git-lfs        ## measure against the peers, in one run
	$(BIN)/python -m bench $(BENCH)

wheel-smoke: $(VENV)/.base git-lfs   ## build the wheel and use it in a clean venv
	PYTHON=$(PYTHON) bash .ci/wheel-smoke

docs: $(VENV)/.test                  ## write the generated reference pages anew
	$(BIN)/python -m tests.support.reference

clean:           ## remove what these targets made
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.base:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gitmodel needs Python 3.11 or later: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.demo: $(VENV)/.base pyproject.toml
	$(PIP) install --editable '.[demo]'
	@touch $@

$(VENV)/.test: $(VENV)/.base pyproject.toml
	$(PIP) install --editable '.[demo]' --group test
	@touch $@

$(VENV)/.lint: $(VENV)/.test
	$(PIP) install --group lint
	@touch $@

$(VENV)/.bench: $(VENV)/.test
	$(PIP) install --group bench
	@touch $@

git-lfs:
	@git lfs version >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && apt-get install -y -qq git-lfs >/dev/null; \
	  else \
	    echo "git-lfs is missing. Install it:  sudo apt-get install git-lfs  (or brew install git-lfs)" >&2; exit 1; \
	  fi; }

# What the tests run beside git: a PKCS#11 token, a git server, Prometheus and its
# Alertmanager. Where one is missing, they skip what needs it. Only programs are wanted:
# no daemon may start, neither now nor when the machine does.
system:
	@missing=; \
	git lfs version >/dev/null 2>&1 || missing="$$missing git-lfs"; \
	command -v softhsm2-util >/dev/null || missing="$$missing softhsm2"; \
	command -v gitolite >/dev/null || missing="$$missing gitolite3"; \
	command -v promtool >/dev/null || missing="$$missing prometheus"; \
	command -v amtool >/dev/null || missing="$$missing prometheus-alertmanager"; \
	[ -z "$$missing" ] || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    export DEBIAN_FRONTEND=noninteractive; \
	    rule=/usr/sbin/policy-rc.d; \
	    [ -e $$rule ] || { \
	      trap 'rm -f /usr/sbin/policy-rc.d' EXIT; \
	      printf '#!/bin/sh\nexit 101\n' >$$rule && chmod +x $$rule; }; \
	    get="apt-get install -y -qq --no-install-recommends $$missing"; \
	    $$get >/dev/null 2>&1 || { apt-get update -qq && $$get >/dev/null; } || exit 1; \
	    for daemon in prometheus prometheus-alertmanager; do \
	      case "$$missing " in *" $$daemon "*) \
	        systemctl disable $$daemon >/dev/null 2>&1 || :;; esac; done; \
	  else \
	    echo "Some tests are skipped or fail without:$$missing. Install it:  sudo apt-get install$$missing" >&2; \
	  fi; }
