"""The list from which a member of staff opened a visit: the board, the worklist, free time or a day of the calendar."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

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
    "portal:staff-patients": _("Patients"),
    "portal:staff-patient": _("Patient\u2019s record"),
    "portal:waiting-list-gaps": _("Free time"),
    "portal:staff-payments": _("Paid at the desk"),
}
OTHER_DAY = _("Visits of the day")  # the board of another day than today


@dataclass(frozen=True, slots=True)
class BackLink:
    """The link back at the top of a visit's page: its address and its word."""

    address: str
    word: Any

    def on(self, address: str) -> str:
        """Return the address of a page of the visit that has the same link back."""
        return f"{address}?{urlencode({'back': self.address})}"

    def with_parameters(self, **changed: str | None) -> str:
        """Return the address with other values of these parameters, or without those that are None."""
        parts = urlsplit(self.address)
        kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in changed]
        given = [(name, value) for name, value in changed.items() if value is not None]
        return urlunsplit(parts._replace(query=urlencode(kept + given)))


def back_of(request: HttpRequest) -> BackLink:
    """Return the list named by the parameter `back`, else the one in the Referer, else today's board."""
    at_referer = _at(_referring(request))
    return named_list(request) or at_referer or BackLink(reverse("portal:board"), LISTS["portal:board"])


def named_list(request: HttpRequest) -> BackLink | None:
    """Return the list named by the parameter `back`."""
    return _at(request.POST.get("back", "")) or _at(request.GET.get("back", ""))


def _at(address: str) -> BackLink | None:
    word = _list_at(address)
    return BackLink(address, word) if word else None


def _referring(request: HttpRequest) -> str:
    """Return the path and query of the Referer if it is on this site."""
    parts = urlsplit(request.headers.get("Referer", ""))
    if parts.netloc != request.get_host():
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _list_at(address: str) -> Any:
    """Return the word for the list at this path, or None if there is no list."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    try:
        name = resolve(parts.path).view_name
    except Resolver404:
        return None
    return OTHER_DAY if name == "portal:board" and "date" in parse_qs(parts.query) else LISTS.get(name)
