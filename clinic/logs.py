"""The logging filter that removes secrets."""

import logging
import re

SECRET = re.compile(r"(?P<before>/(?:v|unsubscribe|calendars)/)(?!\d+/revoke/)[^/\s\"']+")


class HideSecrets(logging.Filter):
    """A filter that removes the secret part of links in messages and of calendar feeds from the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = SECRET.sub(r"\g<before>...", record.getMessage()), ()
        return True
