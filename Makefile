# Every target is one line of Python, for machines without make: python3 bootstrap.py demo|test|check|lint|...
PYTHON ?= python3
RESET ?=
MINUTES ?= 30
ARGS ?=

.PHONY: help demo run test check lint format check-dates drill setup

help:
	@echo "make demo            run everything on this machine, on http://127.0.0.1:8000/"
	@echo "make demo PORT=8001  ... on another port; CLINIC_DATA_DIR=... keeps the data elsewhere than in var/"
	@echo "make demo RESET=1    ... with fresh data"
	@echo "make run             the same for developers: changed code is used at once, DEBUG is on, logs are in the terminal"
	@echo "make test            every check and test, as make check; ARGS=\"tests/core -k grid\" runs only pytest, with those"
	@echo "make check           every check and test, as CI runs it"
	@echo "make lint            the checks without the tests; ARGS=\"types layers\" runs those alone"
	@echo "make format          format code and templates, and sort imports"
	@echo "make check-dates     the tests without the browser's on days that are hard for calendars; DATES=\"year-end\", ARGS"
	@echo "make drill           kill every part at random under load for MINUTES=30; ARGS=\"--seed 7\""
	@echo "make setup           only install what they need, into .venv"

# Given on make's command line they are in the environment of what it runs.
demo:
	@exec $(PYTHON) bootstrap.py demo $(if $(filter-out 0 no false,$(RESET)),--reset)

run:
	@exec $(PYTHON) bootstrap.py run $(if $(filter-out 0 no false,$(RESET)),--reset)

test:
	@exec $(PYTHON) bootstrap.py test -- $(ARGS)

check:
	@exec $(PYTHON) bootstrap.py check

lint:
	@exec $(PYTHON) bootstrap.py lint -- $(ARGS)

format:
	@exec $(PYTHON) bootstrap.py format

# DATES is in the environment too.
check-dates:
	@exec $(PYTHON) bootstrap.py check-dates -- $(ARGS)

drill:
	@exec $(PYTHON) bootstrap.py drill -- --minutes $(MINUTES) $(ARGS)

setup:
	@exec $(PYTHON) bootstrap.py setup
