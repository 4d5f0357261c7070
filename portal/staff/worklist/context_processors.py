"""Context processor for the number beside "To do" in the header."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from portal.common.callers import caller_of
from portal.staff.worklist.worklist import count_worklist


def count(request: HttpRequest) -> dict[str, Any]:
    """Add `worklist_count`, for staff. It is counted only if a template uses it."""
    caller = caller_of(request)
    return {
        "worklist_count": SimpleLazyObject(lambda: count_worklist(caller, now=timezone.now()) if caller.is_staff else 0)
    }
