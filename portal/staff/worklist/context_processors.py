"""Context processor for the number beside "To do" in the header."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from portal.common.callers import caller_of
from scheduling.access import Caller
from scheduling.worklist import Holder, count_work


def count(request: HttpRequest) -> dict[str, Any]:
    """Add `worklist_count`, for staff: the items that are theirs or nobody's. Counted only if a template uses it."""
    caller = caller_of(request)
    return {"worklist_count": SimpleLazyObject(lambda: _count(caller) if caller.is_staff else 0)}


def _count(caller: Caller) -> int:
    return count_work(caller, now=timezone.now()).of((Holder.MINE, Holder.NOBODY))
