# Everything here needs Python 3.10 or later and make; the rest is installed into .venv.
#
#   make demo      run the survey example and one command
#   make test      what CI runs: ruff, mypy, and the tests on one Python; the golden cases also
#                  without simplification
#   make test-unsimplified  all tests of derivatives without simplification
#   make test-rules  each derivative rule in every variant of its samples
#   make test-numba  what Numba takes long to compile; then each function of the tests of
#                  derivatives that is in its language, for an hour
#   make smoke     a few tests on every Python found, without the extras
#   make test-all  all tests on every Python found, each with all mixes of second order
#   make bench     generated derivatives beside hand-written ones: make bench ARGS="--only W2"
#   make fuzz      random programs against finite differences: make fuzz COUNT=1000 SEED=0
#   make docs      write docs/functions.md, the list of functions with derivatives, anew
#   make fuzz-arrays  random programs that write into arrays, likewise
#   make clean     remove what these made

PYTHON ?= python3
COUNT ?= 200
SEED ?= 0
VERSIONS := 3.10 3.11 3.12 3.13
BIN := .venv/bin
# What holds derivatives against numerical ones, and not the text of the code.
WITH_SMOKE := tests/test_smoke.py tests/frontend/test_source.py tests/cache/test_key.py
OF_DERIVATIVES := tests/language tests/in_place tests/programs tests/rules tests/test_api.py \
	tests/test_bands.py tests/test_custom.py tests/test_decorator.py tests/test_implicit.py \
	tests/test_jacobians.py tests/test_workloads.py tests/test_golden.py -k "not generated_text"

# The interpreter of a version: from PATH if it runs there (a pyenv shim may not), or pyenv's own.
find_python = $$(for python in python$(1) $$(ls -d $${PYENV_ROOT:-$$HOME/.pyenv}/versions/$(1).*/bin/python 2>/dev/null | sort -rV); do \
	"$$python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != sys.argv[1])' $(1) >/dev/null 2>&1 \
	&& echo "$$python" && break; done)

.PHONY: demo test test-unsimplified test-rules test-numba smoke test-all fuzz docs clean

demo: .venv/ready
	$(BIN)/python examples/survey.py
	$(BIN)/tangent-like source examples/survey.py:f

test: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2
	$(BIN)/python -m pytest -n 2 --unsimplified tests/test_golden.py -k "not generated_text"

test-unsimplified: .venv/ready
	$(BIN)/python -m pytest -n 2 --unsimplified --every-mix $(OF_DERIVATIVES)

test-rules: .venv/ready
	$(BIN)/python -m pytest -n 2 -m "matrix or not matrix" tests/rules

test-numba: .venv/ready
	$(BIN)/python -m pytest -n 2 -m numba tests/numba
	ls tests/language/test_*.py tests/in_place/test_*.py \
	| xargs -P 2 -n 6 $(BIN)/python -m pytest --numba

smoke:
	@$(call on_each_python,-m smoke $(WITH_SMOKE),.venv-core)

test-all:
	@$(call on_each_python,-n 2 --every-mix,.venv)

bench: .venv/ready
	$(BIN)/python -m benchmarks $(ARGS)

fuzz: .venv/ready
	$(BIN)/python -m tests.random_programs --count $(COUNT) --seed $(SEED)

fuzz-arrays: .venv/ready
	$(BIN)/python -W ignore -m tests.random_programs --arrays --count $(COUNT) --seed $(SEED)

docs: .venv/ready
	$(BIN)/python -m tangent_like.document > docs/functions.md

clean:
	rm -rf .venv .venv-* .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or later is needed; say make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

.venv-core-%/ready: pyproject.toml
	@"$(call find_python,$*)" -m venv .venv-core-$*
	@.venv-core-$*/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[smoke]'
	@touch $@

.venv-%/ready: pyproject.toml
	@"$(call find_python,$*)" -m venv .venv-$*
	@.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

# Run pytest with the given options, in environments named like the second argument, on each
# Python found; a missing one is reported, no failure.
define on_each_python
failed=; \
for version in $(VERSIONS); do \
	if [ -z "$(call find_python,$$version)" ]; then echo "== Python $$version: not found"; continue; fi; \
	echo "== Python $$version"; \
	$(MAKE) --no-print-directory $(2)-$$version/ready && $(2)-$$version/bin/python -m pytest -q $(1) \
	|| failed="$$failed $$version"; \
done; \
if [ -n "$$failed" ]; then echo "== failed on Python$$failed"; exit 1; fi; \
echo "== passed on every Python found"
endef
