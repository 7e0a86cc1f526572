# One word per chore. `make run` and `make test` need nothing but Python 3.11 to 3.13 with venv.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(shell find knowledge -name "*.md" -o -name "*.py" -o -name "concepts.yaml" -o -name "*.txt" -path "*traces*")

.PHONY: run test lint format index settings screenshots image labs try record calibrate compare lock bench service-bench healthy recall examination-bench picture wheel clean

run: index  ## set up and serve the web chat at http://127.0.0.1:8080
	$(BIN)/kerasdoctor serve

test: index  ## set up and run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: .venv/installed  ## ruff, mypy strict, the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=.venv/src $(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

index: knowledge/index.bin diagnostics/probes.json  ## build the search index from the entries and their traces, and the list of probes

knowledge/index.bin: .venv/installed __init__.py $(SOURCES)
	$(BIN)/python -m kerasdoctor.knowledge.indexing

diagnostics/probes.json: .venv/installed $(wildcard diagnostics/probes/*.py)
	$(BIN)/python -m kerasdoctor.diagnostics.catalogue

settings: .venv/installed  ## write docs/settings.md from the table of settings
	$(BIN)/python docs/settings.py

screenshots: index  ## take the pictures of the web page for the README, in a real browser
	$(BIN)/python docs/screenshots.py

image:  ## build the service's image (EXTRAS=service,live: with TensorFlow)
	docker build --build-arg EXTRAS=$(or $(EXTRAS),service) -t kerasdoctor .

LABS := keras-3.0 keras-2.15 keras-2.12 tf-2.4 keras-2.2
labs: $(LABS:%=.labs/%/installed)  ## environments with older Kerases (need Python 3.11, 3.8 and 3.7)

.labs/keras-2.2/installed: PYTHON_OF_LAB := python3.7
.labs/tf-2.4/installed: PYTHON_OF_LAB := python3.8
.labs/%/installed: PYTHON_OF_LAB ?= python3.11

.labs/%/installed: knowledge/laboratories/%.txt
	$(PYTHON_OF_LAB) -m venv .labs/$*
	.labs/$*/bin/pip install --disable-pip-version-check -q -r $<
	touch $@

.labs/rivals/installed: benchmarks/rivals.txt
	$(PYTHON) -m venv .labs/rivals
	.labs/rivals/bin/pip install --disable-pip-version-check -q -r $<
	touch $@

try: .venv/installed  ## run the code of all entries in every laboratory that is built
	$(BIN)/python -m kerasdoctor.knowledge try

record: .venv/installed  ## the same, and write what the broken code printed to knowledge/traces
	$(BIN)/python -m kerasdoctor.knowledge record

calibrate: index  ## fit the matcher's weights: make calibrate CASES=FILE.jsonl
	$(BIN)/python -m kerasdoctor.knowledge.calibration $(CASES) tests/knowledge/negatives.jsonl \
		--written tests/knowledge/questions.jsonl tests/knowledge/questions_out_of_scope.jsonl

compare: index .labs/rivals/installed  ## the matcher beside other ways, and docs/matching.md: make compare CASES=FILE.jsonl
	$(BIN)/python benchmarks/compare.py $(CASES)

bench: index  ## start-up, matching, parsing and examination, side by side with the alternatives
	$(BIN)/python benchmarks/run.py

service-bench: index  ## how fast the service answers, and its memory
	$(BIN)/python benchmarks/service.py

healthy: .venv/installed  ## examine sound models for false findings: make healthy [ONLY=regex] [MODELS=DIR FAULTY=regex]
	$(BIN)/python benchmarks/examination.py --only "$(ONLY)" --faulty "$(FAULTY)" $(if $(MODELS),--models $(MODELS))

recall: index  ## plant faults in sound subjects and count which are found
	$(BIN)/python benchmarks/planted.py

examination-bench: index .labs/scan/installed  ## examination beside loading with Keras and scanning with ModelScan
	$(BIN)/python benchmarks/rivals_models.py

.labs/scan/installed: benchmarks/modelscan.txt
	$(PYTHON) -m venv .labs/scan
	.labs/scan/bin/pip install --disable-pip-version-check -q -r $<
	touch $@

picture: index  ## draw the picture of the README
	$(BIN)/python docs/picture.py

lock: .venv/installed  ## renew the exact versions
	$(BIN)/uv pip compile --universal --python-version 3.11 --all-extras --no-header --no-annotate --no-emit-index-url \
		--upgrade -o requirements.lock pyproject.toml

wheel: .venv/installed
	$(BIN)/python -m build --wheel --no-isolation

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check -q -r requirements.lock
	$(BIN)/pip install --disable-pip-version-check -q --no-build-isolation --no-deps -e .
	mkdir -p .venv/src && ln -sfn ../.. .venv/src/kerasdoctor
	touch $@

clean:
	rm -rf .venv .labs build dist *.egg-info knowledge/index.bin diagnostics/probes.json
