"""Where the header leads: the few places that people of each kind go to all day."""

from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from scheduling.access import Caller


@dataclass(frozen=True, slots=True)
class Place:
    """A link of the header: to the first of its pages, marked on each of them, with a part beside the word."""

    word: Any
    pages: tuple[str, ...]
    beside: str = ""

    @property
    def address(self) -> str:
        return next((address for address in map(_address, self.pages) if address), "")


STAFF = (
    Place(_("Today"), ("portal:board",)),
    Place(_("To do"), ("portal:worklist",), "portal/worklist/_count.html"),
    Place(_("Calendar"), ("portal:day", "portal:week", "portal:month", "portal:agenda")),
    Place(_("Hours"), ("portal:hours", "portal:hours-edit", "portal:hours-settings", "portal:checklist")),
)
# From a held time to the booked visit.
WAY = tuple(
    f"portal:{page}"
    for page in (
        "about", "about-details", "proof", "coverage", "new-coverage", "questions", "questions-part", "confirm",
    )
)  # fmt: skip
VISITS = tuple(f"portal:{page}" for page in ("visits", "visit", "cancel", "move", "join", "answers"))
PATIENTS = (
    Place(_("Book"), ("portal:services", "portal:choose-time", "portal:hold", *WAY, "portal:booked")),
    Place(_("My visits"), VISITS),
    Place(_("Messages"), ("portal:messages",), "portal/messages/_count.html"),
    Place(_("Family"), ("portal:family", "portal:family-add", "portal:family-change", "portal:family-remove")),
)


def places(caller: Caller) -> list[Place]:
    """What the caller's header links to, as far as it is there."""
    return [place for place in (STAFF if caller.is_staff else PATIENTS) if place.address]


def _address(page: str) -> str:
    try:
        return reverse(page)
    except NoReverseMatch:
        return ""
