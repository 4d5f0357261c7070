"""Logs without secrets: a filter that removes them, and lines of JSON."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from clinic import request_id

SECRET = re.compile(r"(?P<before>/(?:v|unsubscribe|calendars)/)(?!\d+/revoke/)[^/\s\"']+")
FIELDS = ("method", "path", "status", "milliseconds", "view")  # of the access log


def without_secrets(text: str) -> str:
    """Return the text without the secret part of links in messages and of calendar feeds."""
    return SECRET.sub(r"\g<before>...", text)


class HideSecrets(logging.Filter):
    """A filter that removes the secret part of links in messages and of calendar feeds from the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = without_secrets(record.getMessage()), ()
        return True


class JSONFormatter(logging.Formatter):
    """A formatter that writes a JSON object on one line, with the id of the request or task that it is about."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current := request_id.current.get():
            line["request_id"] = current
        line |= {name: value for name in FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return without_secrets(json.dumps(line, ensure_ascii=False))


def logging_settings(form: str, level: str) -> dict[str, Any]:
    """Return the setting LOGGING: everything from `level` on to the console, as `line` or `json`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"outages": {"()": "clinic.outage_logs.OutagesInOneLine"}, "secrets": {"()": HideSecrets}},
        "formatters": {
            "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
            "json": {"()": JSONFormatter},
        },
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": form, "filters": ["outages", "secrets"]}
        },
        "loggers": {
            "django": {"handlers": []},  # its own would print everything twice with DEBUG, secrets included
            "clinic.access_log": {"level": "INFO"},
        },
        "root": {"handlers": ["console"], "level": level},
    }
