# Hai Chiều. The two that matter: make run, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help run test check format bench load pace broadcast chaos rasa scenarios day year races storm peers screenshots clean reset-demo lock

help: ## Show what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run $(VENV)/.assets ## Run everything with a rehearsal commune at http://127.0.0.1:8000
	@exec $(BIN)/haichieu up --demo

test: $(VENV)/.dev $(VENV)/.assets ## Run all tests: SQLite, PostgreSQL, Redis, browser
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

check: $(VENV)/.dev ## Style, types, layers, templates, catalogues
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --lint bot/web/templates bot/web/sandbox/templates
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/structure

format: $(VENV)/.dev ## Let the formatter have its way
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: $(VENV)/.dev ## Measure ingest and workers against durable writes, reading beside other tools, in one run
	@$(BIN)/python -c 'import underthesea, vietnamadminunits' 2>/dev/null \
		|| $(PIP) --retries 1 --timeout 20 -e '.[bench]' \
		|| echo '!! the yardsticks could not be installed (is there a package index?): those missing are SKIPPED'
	$(BIN)/python -m tests.bench $(ARGS)

pace: $(VENV)/.dev ## Send an announcement to 10,000 on Telegram, by SMS and over SMPP; its pace, and replies meanwhile
	$(BIN)/python -m tests.bench.pace telegram $(ARGS)
	$(BIN)/python -m tests.bench.pace sms $(ARGS)
	$(BIN)/python -m tests.bench.pace smpp $(ARGS)

broadcast: $(VENV)/.dev ## Send a bulletin to a million, measured, and break everything on the way (ARGS=--short: a few hundred)
	$(BIN)/python -m tests.bench.broadcast $(ARGS)

load: $(VENV)/.dev ## Measure list, ticket, counts and search with years of history and 20 officials (ARGS=--short: a part)
	$(BIN)/python -m tests.bench.desk $(ARGS)

chaos: $(VENV)/.dev ## Kill the process at random points and audit the ledger, on both engines
	$(BIN)/python -m tests.chaos $(ARGS)

scenarios: $(VENV)/.dev ## Play every conversation on every channel and both engines (make test plays each once)
	SCENARIOS=all $(BIN)/python -m pytest -n $(JOBS) --dist worksteal tests/scenarios $(ARGS)

day: $(VENV)/.dev ## Replay a whole day, 10,000 events sent twice and shuffled, on both engines (make test replays a part)
	TEST_DAY_EVENTS=10000 $(BIN)/python -m pytest --timeout 1800 tests/flows/test_recorded_day.py $(ARGS)

year: $(VENV)/.dev ## Live through a year of 5,000 reports and find every promise that slipped unsaid (make test lives a part)
	TEST_YEAR_TICKETS=5000 $(BIN)/python -m pytest --timeout 3600 tests/usecases/test_clocks.py -k year $(ARGS)

storm: $(VENV)/.dev ## Play every storm day against its truth: which reports are one incident (make test plays one on each engine)
	TEST_STORM=all $(BIN)/python -m pytest -s tests/flows/test_storm_day.py $(ARGS)

races: $(VENV)/.dev ## Let two officials act on one ticket at the same moment, a thousand times on each engine
	TEST_RACES=1000 $(BIN)/python -m pytest --timeout 1800 tests/flows/test_any_life.py -k two_officials $(ARGS)

rasa: $(VENV)/.dev ## Rehearse with a real Rasa server: make rasa RASA=/path/to/its/bin/rasa
	$(BIN)/python -m tests.rasa.rehearse $(RASA)

screenshots: $(VENV)/.dev $(VENV)/.assets ## Take a picture of every page: desk and phone, light and dark (OUT=screenshots)
	$(BIN)/python -m tests.browser.every_page $(or $(OUT),screenshots)

peers: $(VENV)/.dev ## Speak with servers that others wrote: telegram-test-api, Kannel, an SMSC in node
	$(BIN)/python -m tests.peers.telegram_test_api $(ARGS)
	$(BIN)/python -m tests.peers.kannel
	$(BIN)/python -m tests.peers.smpp_npm

clean: ## Remove what was installed and built; data in var/ stays
	rm -rf $(VENV) node_modules build *.egg-info bot/web/static/vendor bot/papers/fonts .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

reset-demo: ## Forget the rehearsal: data of make run
	rm -rf var

model: $(VENV)/.dev ## Train the model that ships, after messages or word lists have changed
	$(BIN)/python -m nlp.training
	$(BIN)/python -m nlp.faq_training
	$(BIN)/python -m nlp.accents_training

lock: $(VENV)/.dev ## Resolve and pin again (on a regular day, in a commit of its own)
	$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-header --no-emit-options \
		--extra dev --output-file requirements-dev.lock pyproject.toml
	$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-header --no-emit-options \
		--constraint requirements-dev.lock --output-file requirements.lock pyproject.toml

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Hai Chiều needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python requirements.lock pyproject.toml
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python requirements-dev.lock pyproject.toml
	$(PIP) --require-hashes -r requirements-dev.lock
	$(PIP) --no-deps -e .
	@touch $@ $(VENV)/.run

# Node's packages carry the front-end libraries and fonts; nothing of them is in the repository.
$(VENV)/.assets: package-lock.json bot/web/assets.py $(VENV)/bin/python
	npm ci --silent --ignore-scripts
	$(BIN)/python -m bot.web.assets
	@touch $@
