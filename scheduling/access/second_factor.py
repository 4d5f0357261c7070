"""Permissions around the second step of signing in."""

from datetime import datetime

from clinic.models import User
from scheduling.access.callers import Caller


def may_have_second_factor(caller: Caller) -> bool:
    """True if the caller may add a second step to signing in: staff, whom a manager can help who lose it."""
    return caller.user is not None and not caller.client and caller.is_staff


def lacks_second_factor(user: User, now: datetime) -> bool:
    """True if the account may do nothing before it has a second step, which its roles require."""
    return user.second_factor_due is not None and user.second_factor_due <= now
