"""Words of text messages that patients send: C to confirm a visit, X to cancel it, STOP, START and HELP.

The words of all languages are understood, whatever language a patient reads. A text must be one of them; case, accents
and punctuation do not count.
"""

import enum
from functools import lru_cache

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from clinic.folding import folded


class ReplyIntent(enum.Enum):
    """The purpose of a text message."""

    CONFIRM = enum.auto()
    CANCEL = enum.auto()
    STOP = enum.auto()
    START = enum.auto()
    HELP = enum.auto()


# Translators: words that patients text back, separated by commas. The English ones are understood anyway.
CONFIRM = gettext_noop("c, confirm, confirmed, yes, y, ok, i will come")
# Translators: the same, for cancelling the visit.
CANCEL = gettext_noop("x, cancel, cancel it")
# Translators: the same, for getting no more text messages.
STOP = gettext_noop("stop, stopall, unsubscribe, end, quit, optout, opt out, revoke")
# Translators: the same, for getting text messages again.
START = gettext_noop("start, unstop, subscribe")
# Translators: the same, for asking who writes.
HELP = gettext_noop("help, info")

_WORDS = {
    ReplyIntent.CONFIRM: CONFIRM,
    ReplyIntent.CANCEL: CANCEL,
    ReplyIntent.STOP: STOP,
    ReplyIntent.START: START,
    ReplyIntent.HELP: HELP,
}


def intent_of(text: str) -> ReplyIntent | None:
    """Return the purpose of a text message, or None if it is anything but one of the words."""
    return _intents().get(folded(text))


@lru_cache(maxsize=1)
def _intents() -> dict[str, ReplyIntent]:
    """Return the purpose of each folded word. An English word keeps its purpose in every language."""
    intents: dict[str, ReplyIntent] = {}
    for language, _name in settings.LANGUAGES:  # English first
        for intent, words in _WORDS.items():
            with translation.override(language):
                for word in gettext(words).split(","):
                    intents.setdefault(folded(word), intent)
    return intents
