"""The log of an error because PostgreSQL or the broker was away: one line."""

import logging
import sys

import kombu.exceptions
import psycopg
import pytest
import redis
from celery.beat import SchedulingError
from django.conf import settings
from django.db import OperationalError

from clinic.outage_logs import OutagesInOneLine


def lost():
    error = OperationalError("the connection is lost\n\tThe server has gone.")
    error.__cause__ = psycopg.OperationalError("the connection is lost")
    return error


def not_scheduled(why):
    error = SchedulingError("Couldn't apply scheduled task")
    error.__context__ = why
    return error


def logged(error):
    """The record of an error with its traceback, as it is after the filter."""
    try:
        raise error
    except Exception:
        record = logging.LogRecord(
            "celery", logging.ERROR, __file__, 1, "Task %s:\n%s", ("failed", ["a", "stack"]), sys.exc_info()
        )
    assert OutagesInOneLine().filter(record)
    return record


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (lost(), "Task failed: (OperationalError: the connection is lost)"),
        (redis.ConnectionError("refused"), "Task failed: (ConnectionError: refused)"),
        (kombu.exceptions.OperationalError("refused"), "Task failed: (OperationalError: refused)"),
        (
            not_scheduled(redis.ConnectionError("refused")),
            "Task failed: (SchedulingError: Couldn't apply scheduled task)",
        ),
    ],
    ids=["PostgreSQL", "Redis", "the broker", "the clock"],
)
def test_an_outage_is_one_line(error, line):
    record = logged(error)
    assert (record.getMessage(), record.exc_info, record.exc_text) == (line, None, None)
    assert record.levelno == logging.ERROR


@pytest.mark.parametrize("error", [OperationalError("a bug"), ValueError("a bug"), not_scheduled(ValueError("a bug"))])
def test_another_error_has_its_traceback(error):
    record = logged(error)
    assert record.getMessage() == "Task failed:\n['a', 'stack']"
    assert record.exc_info is not None


def test_all_logs_are_filtered():
    filters = settings.LOGGING["filters"]
    assert "clinic.outage_logs.OutagesInOneLine" in {
        filters[name]["()"] for name in settings.LOGGING["handlers"]["console"]["filters"]
    }
