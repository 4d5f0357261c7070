"""The list from which a member of staff opened a visit: the board, the worklist or a day of the calendar."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext_lazy as _

LISTS = {
    "portal:board": _("Today"),
    "portal:worklist": _("To do"),
    "portal:day": _("Calendar"),
    "portal:week": _("Calendar"),
    "portal:month": _("Calendar"),
    "portal:agenda": _("Calendar"),
}


@dataclass(frozen=True, slots=True)
class Back:
    """The address and the word of the link back at the top of a visit's page."""

    address: str
    word: Any

    def on(self, address: str) -> str:
        """The address of a page of the visit, from which the same list is gone back to."""
        return f"{address}?{urlencode({'back': self.address})}"


def back_of(request: HttpRequest) -> Back:
    """The list that the request names as `back`, else the one that it comes from, else the board of today."""
    named = (request.POST.get("back", ""), request.GET.get("back", ""), _referring(request))
    lists = (Back(address, word) for address in named if (word := _list_at(address)))
    return next(lists, Back(reverse("portal:board"), LISTS["portal:board"]))


def _referring(request: HttpRequest) -> str:
    """The path and query of the page that the request comes from, if it is one of this site."""
    parts = urlsplit(request.headers.get("Referer", ""))
    if parts.netloc != request.get_host():
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _list_at(address: str) -> Any:
    """The word for the list at a path of this site; None for any other address."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    try:
        return LISTS.get(resolve(parts.path).view_name)
    except Resolver404:
        return None
