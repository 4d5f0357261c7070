"""Reasons why a message failed or was not needed: stored in English, shown in the language of the reader."""

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

SERVICE_NOT_REACHED = gettext_noop("The text service could not be reached (%(error)s).")
SERVICE_REFUSES = gettext_noop("The text service refuses the number or the text (error %(code)s).")
SERVICE_ANSWERS = gettext_noop("The text service answers %(code)s.")
TEXT_NOT_DELIVERED = gettext_noop("The text could not be delivered (error %(code)s).")
MAIL_REFUSED = gettext_noop("The mail server would not take it (%(reason)s).")
NOT_HANDED_OVER = gettext_noop("It could not be handed over (%(error)s).")

WITH_DETAILS = (
    SERVICE_NOT_REACHED,
    SERVICE_REFUSES,
    SERVICE_ANSWERS,
    TEXT_NOT_DELIVERED,
    MAIL_REFUSED,
    NOT_HANDED_OVER,
)
DETAIL = re.compile(r"%\\\((\w+)\\\)s")  # a placeholder, after re.escape
PATTERNS = {text: re.compile(DETAIL.sub(r"(?P<\1>.*)", re.escape(text))) for text in WITH_DETAILS}


def failure_text(stored: str) -> str:
    """Return a stored reason in the active language; a text of other software is returned unchanged."""
    for text, pattern in PATTERNS.items():
        if found := pattern.fullmatch(stored):
            return _(text) % found.groupdict()
    return _(stored) if stored else ""
