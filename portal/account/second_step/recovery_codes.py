"""New recovery codes, which their owner sees in the session that made them, until they are kept."""

import time

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from clinic.models import User
from scheduling import second_factors

SHOWN_FOR = 15 * 60  # seconds
_KEY = "new_recovery_codes"


def make(request: HttpRequest) -> None:
    """Give the account new recovery codes, and show them in this session."""
    assert isinstance(request.user, User)
    second_factors.make_recovery_codes(request.user)
    request.session[_KEY] = time.time()


def are_new(session: SessionBase) -> bool:
    """True if this session has just made the codes, and its owner has not kept them yet."""
    return bool(time.time() - session.get(_KEY, 0) < SHOWN_FOR)


def forget(session: SessionBase) -> None:
    session.pop(_KEY, None)
