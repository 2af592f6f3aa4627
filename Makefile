# Two commands matter: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

COQUI := .venv-coqui

.PHONY: demo test test-coqui lint types unit bench bench-coqui sheet screenshots chromium clean

demo: $(VENV)/.installed
	$(BIN)/avatalk make --avatar ada -o demo.mp4 --text \
	  "Hello! I am Ada, and these are my first words. Give me a text or a recording, and I will say it for you."
	@echo
	@echo "Your video is $(CURDIR)/demo.mp4. What to try next:"
	@echo "  $(BIN)/avatalk avatars                          everyone in the gallery"
	@echo "  $(BIN)/avatalk voices --language fr             voices of a language"
	@echo "  $(BIN)/avatalk make --avatar photo.jpg --audio speech.mp3 -o talk.mp4"
	@echo "  $(BIN)/avatalk make --help"

test: lint types unit

lint: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.tests
	$(BIN)/mypy

unit: $(VENV)/.tests chromium
	$(BIN)/pytest -n 2

# The studio is tried in Debian's browser; where it is missing and cannot be installed, its tests are skipped.
chromium:
	@if ! command -v chromium >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; fi

# YourTTS and XTTS want an older PyTorch than the other engines: an environment of their own, 5.5 GB.
test-coqui: $(COQUI)/.tests
	OMP_WAIT_POLICY=PASSIVE $(COQUI)/bin/python -m pytest tests_coqui tests/test_speech_engines.py

bench-coqui: $(COQUI)/.tests
	OMP_WAIT_POLICY=PASSIVE $(COQUI)/bin/python scripts/bench_coqui.py

bench: $(VENV)/.tests chromium
	$(BIN)/python scripts/bench.py
	$(BIN)/python scripts/studio_bench.py

sheet: $(VENV)/.tests
	$(BIN)/python scripts/contact_sheet.py

# Every state of the studio, as on a phone and on a desktop, light and dark: to be looked at.
screenshots: $(VENV)/.tests chromium
	$(BIN)/python scripts/screenshots.py out/screenshots

# The bytecode of what a video needs, and of nothing else, so as to stay small: starts are 0.4 s shorter.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "avatalk needs Python 3.10 or later")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --no-compile -c constraints.txt -e .
	$(BIN)/python -m compileall -q src
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/avatalk make --quality draft --text "Hello." -o $(VENV)/hello.mp4 2> $(VENV)/hello.log
	touch $@

$(VENV)/.tests: $(VENV)/.installed
	$(PIP) install --no-compile -c constraints.txt -e '.[neural,diffusion,test]'
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -c "import avatalk.studio.app, avatalk.jobs.worker, gradio, openvino, torch"
	touch $@

$(COQUI)/.tests: pyproject.toml constraints.txt constraints-coqui.txt
	$(PYTHON) -m venv $(COQUI)
	$(COQUI)/bin/python -m pip --disable-pip-version-check --quiet install --no-compile \
	  -c constraints-coqui.txt -e '.[coqui]' hypothesis pytest
	touch $@

clean:
	rm -rf $(VENV) $(COQUI) .mypy_cache .pytest_cache .ruff_cache
