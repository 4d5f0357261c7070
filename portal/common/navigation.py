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
    HeaderLink(_("Referrals"), ("portal:staff-referrals", "portal:staff-referral")),
    HeaderLink(
        _("Waiting list"),
        ("portal:waiting-list", "portal:waiting-list-offers", "portal:waiting-list-find", "portal:waiting-list-join"),
    ),
    HeaderLink(_("Calendar"), ("portal:day", "portal:week", "portal:month", "portal:agenda")),
    HeaderLink(
        _("Patients"),
        ("portal:staff-patients", "portal:staff-patient", "portal:staff-patient-edit", "portal:staff-duplicates"),
    ),
    HeaderLink(_("Hours"), ("portal:hours", "portal:hours-edit", "portal:hours-settings", "portal:checklist")),
)
# The pages between a held time and the booked visit.
WAY = tuple(
    f"portal:{page}"
    for page in (
        "about", "about-details", "proof", "details-check", "coverage", "new-coverage", "questions",
        "questions-part", "needs", "confirm",
    )
)  # fmt: skip
VISITS = tuple(f"portal:{page}" for page in ("visits", "visit", "cancel", "move", "join", "answers"))
DETAILS = tuple(
    f"portal:{page}"
    for page in (
        "my-details", "details-of", "details-name", "details-address", "details-needs", "details-coverage-new",
        "details-coverage", "details-coverage-end", "details-card",
    )
)  # fmt: skip
PATIENTS = (
    HeaderLink(_("Book"), ("portal:services", "portal:choose-time", "portal:hold", *WAY, "portal:booked")),
    HeaderLink(_("My visits"), VISITS),
    HeaderLink(_("Messages"), ("portal:messages",), "portal/messages/_count.html"),
    HeaderLink(_("My details"), DETAILS),
    HeaderLink(_("Family"), ("portal:family", "portal:family-add", "portal:family-change", "portal:family-remove")),
)
REFERRERS = (
    HeaderLink(
        _("Referrals"),
        (
            "portal:referrals",
            "portal:referral",
            "portal:referral-new",
            "portal:referral-book",
            "portal:referral-withdraw",
        ),
    ),
)


def header_links(caller: Caller) -> list[HeaderLink]:
    """Return the links of the caller's header, without pages that this clinic does not have."""
    return [link for link in _links(caller) if link.address]


def _links(caller: Caller) -> tuple[HeaderLink, ...]:
    if caller.is_staff:
        return STAFF
    if not caller.is_referrer:
        return PATIENTS
    return (*REFERRERS, *PATIENTS) if caller.patients else REFERRERS


def _address(page: str) -> str:
    try:
        return reverse(page)
    except NoReverseMatch:
        return ""
