"""Log of outages: an error because PostgreSQL or the broker is away is one line, without a traceback."""

import logging

import kombu.exceptions
import redis
from celery.beat import SchedulingError

from clinic import database


class OutagesInOneLine(logging.Filter):
    """A filter that logs an error as one line if PostgreSQL or the broker was away: a traceback would say no more."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and (database.is_away(error) or _is_of_broker(error)):
            reason = next(iter(str(error).splitlines()), "")
            first_line = next(iter(record.getMessage().splitlines()), "")
            record.msg, record.args = f"{first_line} ({type(error).__name__}: {reason})", ()
            record.exc_info = record.exc_text = None
        return True


def _is_of_broker(error: BaseException) -> bool:
    """True if the broker was away. Celery's clock raises an error of its own about that."""
    if isinstance(error, SchedulingError):
        return isinstance(error.__context__, kombu.exceptions.OperationalError | redis.RedisError)
    return isinstance(error, kombu.exceptions.OperationalError | redis.ConnectionError)
