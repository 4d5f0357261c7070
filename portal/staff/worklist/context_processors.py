"""The number beside "To do" in the header."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from portal.common.callers import caller_of
from portal.staff.worklist.worklist import count_worklist


def count(request: HttpRequest) -> dict[str, Any]:
    """`worklist_count` for staff, counted only where a template shows it."""
    caller = caller_of(request)
    return {
        "worklist_count": SimpleLazyObject(lambda: count_worklist(caller, now=timezone.now()) if caller.is_staff else 0)
    }
