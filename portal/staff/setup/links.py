"""Links of the page "Set up", to the pages that managers use rarely."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from scheduling.access import Action


@dataclass(frozen=True, slots=True)
class SetupLink:
    """A link of the page "Set up", with a sentence about the page that it leads to, for those who may do `action`."""

    word: Any
    about: Any
    page: str
    action: Action = Action.SET_UP

    @property
    def address(self) -> str:
        return reverse(self.page)


LINKS = (
    SetupLink(
        _("What can be booked"),
        _("The first free time of each visit, or what keeps it from being booked."),
        "portal:checklist",
    ),
    SetupLink(_("Hours and rules"), _("When each visit is given, for how long, and who can book it."), "portal:hours"),
    SetupLink(
        _("Questions before visits"),
        _("What patients answer before they come, and which answers lead to further questions."),
        "portal:setup-questionnaires",
    ),
    SetupLink(
        _("Service types"),
        _("The types of visits that you have named yourselves."),
        "portal:setup-types",
    ),
    SetupLink(
        _("Closures"),
        _("Public holidays, and times when the clinic, a site, a person, a room or a device is closed."),
        "portal:closures",
    ),
    SetupLink(
        _("Import"),
        _("Import patients, people, visits and hours from another system."),
        "portal:imports",
        Action.IMPORT,
    ),
    SetupLink(
        _("Everything as FHIR"),
        _("One file with everything that the clinic has stored, for other software."),
        "portal:exports",
        Action.EXPORT,
    ),
    SetupLink(
        _("Booking on your own site"), _("Show the free times on the clinic\u2019s website."), "portal:staff-embed"
    ),
    SetupLink(_("Staff accounts"), _("Who works here, what they may do, and invitations."), "portal:people"),
    SetupLink(
        _("Administration"),
        _("Records, message templates, software that uses the API, and the audit log."),
        "admin:index",
        Action.ADMINISTER,
    ),
)
