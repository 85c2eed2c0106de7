# Every target makes the environment it needs from the project's own files.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

# Decoded content, so that no start reads YAML; it is checked against the files, never trusted.
DECODED := quizprep/_decoded/questions-concepts.msgpack

.PHONY: demo test web coverage fuzz durable check format lint content evidence pictures bench clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[grade,sheet,dev]'
	touch $(READY)

$(DECODED): $(READY) $(wildcard questions/*.yaml exercises/*/exercise.yaml quizprep/content/*.py)
	$(BIN)/python -m quizprep.authoring.prebuild

demo: $(DECODED)  ## the main job on real input: questions, gradings, a sheet
	$(BIN)/python examples/demo.py

test: $(READY)  ## every test; as root it first installs Chromium and Poppler where they are missing
	$(BIN)/python -m tools.system_packages
	-$(BIN)/python -m tools.editor
	$(BIN)/python -m pytest -n 2

web:  ## the editor of quizprep web, from npm; without it the pages have a plain text area
	$(PYTHON) -m tools.editor

coverage: $(READY)  ## lines of grading and worker that no test executes; slower than the tests
	$(BIN)/python -m tools.coverage -n 2 --ignore tests/browser

fuzz: $(READY)  ## 10,000 damaged banks; every one loads or is explained
	QUIZPREP_FUZZ=10000 $(BIN)/python -m pytest tests/hostile/test_bad_banks.py -k mutation

durable: $(READY)  ## 1,000 processes killed, 500 stores damaged; nothing acknowledged is lost
	QUIZPREP_KILLS=1000 QUIZPREP_DAMAGE=500 $(BIN)/python -m pytest -s tests/hostile/test_store.py

format: $(READY)  ## rewrite the files in the project's style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

content: $(READY)  ## banks and exercises test themselves
	$(BIN)/quizprep check --spelling

evidence: $(READY)  ## docs/evidence.md: every mistake, pair and mutant; takes a while
	$(BIN)/quizprep check --mutants --answers tests/content/answers --evidence docs/evidence.md

pictures: $(READY)  ## docs/pictures: screens and a sheet, from the program; needs a Chromium
	$(BIN)/python -m tools.pictures

check: lint content test  ## what a change must pass

bench: $(DECODED)  ## speed, as ratios in one run
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf .venv demo-out quizprep/_decoded
