# A newcomer needs two of these: `make demo` and `make test`.

PYTHON := .venv/bin/python
CHECKED := schemas process transport connectors exchange approval deploy tests conftest.py

.PHONY: help setup lint test demo serve faults simulate lock clean
.DEFAULT_GOAL := help

help:
	@echo 'make demo    the whole path on a sample district; prints what a clerk would see      全流程演示'
	@echo 'make test    every check and test; as root on Debian it installs what is missing      全部检查与测试'
	@echo ''
	@echo 'make serve   the demo, left running, with pages on this machine                       演示并保持运行'
	@echo 'make setup   only .venv                                                               仅安装环境'
	@echo 'make lint    only ruff, mypy and the import contracts                                 仅静态检查'
	@echo 'make faults  fault tests, FAULT_KILLS (60) kills from FAULT_SEED (3) on               长时间故障测试'
	@echo 'make simulate SEEDS=10000  random histories of one source, each promise looked at      随机历史模拟'
	@echo 'make lock    requirements.lock anew; also: scripts/lock --upgrade                     重新生成依赖锁'
	@echo 'make clean   remove .venv and every cache in this folder                              清除环境与缓存'

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml scripts/setup
	@scripts/setup

demo: setup
	@scripts/system-needs broker
	@$(PYTHON) -m deploy.demo

serve: setup
	@scripts/system-needs broker
	@$(PYTHON) -m deploy.demo --serve

test: setup
	@scripts/system-needs --install broker java-compiler postgresql
	@$(MAKE) --no-print-directory lint
	@$(PYTHON) -m pytest $(PYTEST)

lint: setup
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy --strict $(CHECKED)
	@.venv/bin/lint-imports --no-cache

FAULT_KILLS ?= 60
FAULT_SEED ?= 3

faults: setup
	@scripts/system-needs broker
	@FAULT_KILLS=$(FAULT_KILLS) FAULT_SEED=$(FAULT_SEED) $(PYTHON) -m pytest -m 'slow or not slow' tests/faults $(PYTEST)

SEEDS ?= 10000

simulate: setup
	@$(PYTHON) -m tests.simulation.explore --seeds $(SEEDS)

lock: setup
	@scripts/lock

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
