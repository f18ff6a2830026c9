# Every habit is one command. `make demo` and `make test` set everything up by themselves.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

ENGINE := src/archcheck/simulation/engines/fast

.PHONY: demo test thorough lint bench sanitize mutants attack docs pages site wheel install clean

install: .venv/installed

.venv/installed: pyproject.toml setup.py constraints.txt $(wildcard $(ENGINE)/*.p[xy][ix] $(ENGINE)/*.h)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch .venv/installed

demo: install  ## import a repository; check, simulate, plan, draw and review a real system
	@mkdir -p out
	@echo "== archcheck import examples/repository"
	@$(BIN)/archcheck import examples/repository
	@echo; echo "== archcheck verify examples/repository"
	@$(BIN)/archcheck verify examples/repository || test $$? -eq 1
	@$(BIN)/archcheck diagram examples/repository -o out/repository.svg
	@echo; echo "== archcheck verify models/online_boutique"
	@$(BIN)/archcheck verify models/online_boutique || test $$? -eq 1
	@echo; echo "== archcheck simulate models/online_boutique --scenario busy"
	@$(BIN)/archcheck simulate models/online_boutique --scenario busy --chart out/online_boutique_busy.png
	@echo; echo "== archcheck plan models/online_boutique"
	@$(BIN)/archcheck plan models/online_boutique --chart out/online_boutique_plan.png
	@echo; echo "== archcheck diagram models/online_boutique"
	@$(BIN)/archcheck diagram models/online_boutique -o out/online_boutique.svg
	@$(BIN)/archcheck diagram models/online_boutique --simulate busy -o out/online_boutique.png
	@echo; echo "== archcheck report models/online_boutique"
	@$(BIN)/archcheck report models/online_boutique --scenario busy --without plan -o out/online_boutique.html || test $$? -eq 1

test: install  ## each kind of question, with a sample of its cases
	$(BIN)/pytest -n 2 --dist worksteal -m "not thorough"

thorough: install  ## the other cases, longer searches, tools of other ecosystems
	HYPOTHESIS_PROFILE=thorough $(BIN)/pytest -n 2 --dist worksteal -m thorough

lint: install  ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: install  ## speed, as ratios measured in one run
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[bench]"
	$(BIN)/python benchmarks/start_up.py
	$(BIN)/python benchmarks/scale.py
	$(BIN)/python benchmarks/reference_engine.py
	$(BIN)/python benchmarks/engines.py
	$(BIN)/python benchmarks/planning.py
	$(BIN)/python benchmarks/report.py
	$(CC) -O3 -I$(ENGINE) benchmarks/event_list/event_list.c -o out/event_list -lm && out/event_list

wheel: install  ## a wheel with the compiled engine, in dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

sanitize: install  ## both engines compared under the address and undefined-behaviour sanitizers
	ARCHCHECK_CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -DARCHCHECK_PLAIN_MEMORY" \
	ARCHCHECK_LDFLAGS="-fsanitize=address,undefined" \
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target out/sanitized .
	ASAN_OPTIONS=detect_leaks=0 PYTHONPATH=out/sanitized \
	LD_PRELOAD="$$($(CC) -print-file-name=libasan.so) $$($(CC) -print-file-name=libubsan.so)" \
	$(BIN)/pytest -p no:cacheprovider tests/differential tests/unit/simulation/test_plans.py

mutants: install  ## do the rules' examples notice a change of the rule? (minutes)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[mutation]"
	PYTHONPATH=tests $(BIN)/python tests/mutation/mutate_rules.py

attack: install  ## new random systems against engines and proofs (hours: SYSTEMS=100000)
	PYTHONPATH=tests $(BIN)/python tests/attack.py --first $(or $(FIRST),10000) --systems $(or $(SYSTEMS),1000)

docs: pages  ## the pages that are made from the code, then the site of all pages
	$(MAKE) site

pages: install  ## the pages and pictures that are made from the code
	$(BIN)/python docs/make.py
	$(BIN)/python examples/classics/draw.py

site: install  ## the documentation as a site, in out/site; a warning or a dead link is an error
	rm -rf out/site
	$(BIN)/sphinx-build --quiet --fail-on-warning --jobs auto -d out/doctrees -c docs . out/site
	@echo "open out/site/index.html"

clean:
	rm -f $(ENGINE)/*.so $(ENGINE)/_engine.c
	rm -rf .venv out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
