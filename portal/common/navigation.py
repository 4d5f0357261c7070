"""Links of the header, for patients and for staff."""

from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from scheduling.access import Caller


@dataclass(frozen=True, slots=True)
class HeaderLink:
    """A link of the header to the first of its pages; it is marked on all of them.

    `beside` is a template shown next to the word, such as a count.
    """

    word: Any
    pages: tuple[str, ...]
    beside: str = ""

    @property
    def address(self) -> str:
        return next((address for address in map(_address, self.pages) if address), "")


STAFF = (
    HeaderLink(_("Today"), ("portal:board",)),
    HeaderLink(_("To do"), ("portal:worklist",), "portal/staff/worklist/_count.html"),
    HeaderLink(_("Calendar"), ("portal:day", "portal:week", "portal:month", "portal:agenda")),
    HeaderLink(_("Hours"), ("portal:hours", "portal:hours-edit", "portal:hours-settings", "portal:checklist")),
)
# The pages between a held time and the booked visit.
WAY = tuple(
    f"portal:{page}"
    for page in (
        "about", "about-details", "proof", "coverage", "new-coverage", "questions", "questions-part", "confirm",
    )
)  # fmt: skip
VISITS = tuple(f"portal:{page}" for page in ("visits", "visit", "cancel", "move", "join", "answers"))
PATIENTS = (
    HeaderLink(_("Book"), ("portal:services", "portal:choose-time", "portal:hold", *WAY, "portal:booked")),
    HeaderLink(_("My visits"), VISITS),
    HeaderLink(_("Messages"), ("portal:messages",), "portal/messages/_count.html"),
    HeaderLink(_("Family"), ("portal:family", "portal:family-add", "portal:family-change", "portal:family-remove")),
)


def header_links(caller: Caller) -> list[HeaderLink]:
    """Return the links of the caller's header, without pages that this clinic does not have."""
    return [link for link in (STAFF if caller.is_staff else PATIENTS) if link.address]


def _address(page: str) -> str:
    try:
        return reverse(page)
    except NoReverseMatch:
        return ""
