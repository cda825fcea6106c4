# One line of help per target: bare `make` prints it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PYTHONUNBUFFERED := 1
PY := .venv/bin/python
ENGINE_PY := OMP_NUM_THREADS=2 HF_HUB_OFFLINE=1 .venv-engine/bin/python

.PHONY: help setup base run demo stop test check bench adapters eval-adapters screen mutants \
  chaos fuzz load docs lock audit sbom

help: ## Print this page
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1mmake %-14s\033[0m %s\n", $$1, $$2}' Makefile

setup: ## Make both environments from their lock files; only what is missing
	@deploy/setup.sh

run: ## Start everything to try it, print addresses and demo keys (first time: under 10 minutes)
	@deploy/run.sh

demo: ## Play a whole recorded session through the running service
	@deploy/demo.sh

stop: ## End what `make run` started; nothing stored is lost
	@deploy/stop.sh

test: setup ## Run every test there is, on a real engine, Redis and browser
	@deploy/test.sh

check: setup ## Format, lint, types, imports, fast tests, audit if a network answers; under a minute
	@deploy/check.sh

bench: setup ## Measure the service against its aims; prints one table, writes bench.json
	@$(PY) -m tests.bench --engine

base: setup ## Prepare the base model that the engine serves
	@$(ENGINE_PY) -m models.base_model

adapters: base ## Train the two demo adapters anew (two hours on two cores)
	@$(ENGINE_PY) -m models.train.sft --role utterance --target smollm2-135m-cpu
	@$(ENGINE_PY) -m models.train.sft --role planner --target smollm2-135m-cpu

eval-adapters: base ## Base against adapters on held-back sessions (SESSIONS=file.jsonl for others)
	@$(ENGINE_PY) -m models.train.evaluate $(if $(SESSIONS),--sessions $(SESSIONS))

screen: setup ## Measure the danger screen: levels, routing, what it misses
	@cat $(or $(CASES),$$($(PY) -m safety.train.screen_rows)) | \
	  .venv/bin/secondchair screen --evaluate

mutants: setup ## Break screen, rules and guard on purpose and count what the tests notice
	@tests/mutants.sh

chaos: setup ## Kill processes at random moments and count what is lost (nothing)
	@$(PY) -m tests.chaos

fuzz: setup ## Throw what the API's description allows, and what not, at it (SECONDS=600 SEED=1)
	@$(PY) -m tests.security.fuzzing --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1)

load: setup ## Hold the service under load for a while and watch memory, latency and errors
	@$(PY) -m tests.load

audit: ## Compare every lock with public vulnerability data; needs the network
	@deploy/supply.sh audit

sbom: ## Write build/sbom.IMAGE.cdx.json: what service and console images install, as CycloneDX
	@deploy/supply.sh sbom

docs: setup ## Write the pages that are drawn from the code anew
	@$(PY) docs/generate.py

lock: ## Write requirements/*.lock anew after a change of dependencies
	@deploy/lock.sh
