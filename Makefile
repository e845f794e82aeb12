# Everything that is done with a checkout. `make` lists the targets; the first one that needs .venv makes it.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := tools/install.py pyproject.toml requirements.lock requirements-cpu.lock requirements-cuda.lock
QUESTION ?= when will Blinken arrive?

.DEFAULT_GOAL := help
.PHONY: help demo serve test check format lock picture bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.installed ## install, and answer a question from the sample articles
	@$(BIN)/kabar ask "$(QUESTION)"

serve: .venv/.installed ## install, and open the chat page
	@$(BIN)/kabar serve

test: .venv/.installed-dev ## install, and run all tests
	@$(BIN)/python -m pytest

check: .venv/.installed-dev ## format, lint, types, direction of imports, and tables of README
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python benchmarks/tables.py --check

format: .venv/.installed-dev ## format the code and mend what the linter can
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

lock: ## resolve the newest versions of all dependencies into the lock files (needs uv)
	@$(PYTHON) tools/lock.py

picture: .venv/.installed-dev ## make docs/chat.png from the running chat page (needs Chromium)
	@$(BIN)/python docs/picture.py

bench: .venv/.installed-dev ## measure the small things and the sample answers, and write README's tables
	@$(BIN)/python benchmarks/small_things.py
	@$(BIN)/python benchmarks/answers.py
	@$(BIN)/python benchmarks/tables.py

clean: ## remove .venv and all caches of tools; the index and the articles stay
	@rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

.venv/.installed: $(INSTALL)
	@$(PYTHON) tools/install.py
	@touch $@

.venv/.installed-dev: $(INSTALL) requirements-dev.lock
	@$(PYTHON) tools/install.py --dev
	@touch .venv/.installed $@
