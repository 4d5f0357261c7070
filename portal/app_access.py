"""What an app may do, in the words of the people who are asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from clinic.models import Launch, Patient
from scheduling.access import Scope, read_scope

CLINIC = lazy("the clinic, its people, rooms and services")
RECORD = lazy("everything in this record, and what the clinic offers")
# What the types are to somebody who is no computer; one that is missing is told by its name.
THINGS: dict[str, Any] = {
    "*": lazy("everything that you can see here yourself"),
    "Appointment": lazy("visits"),
    "AppointmentResponse": lazy("answers to invitations to a visit"),
    "CareTeam": lazy("care teams"),
    "Communication": lazy("messages about visits"),
    "Coverage": lazy("insurance"),
    "Encounter": lazy("visits that have taken place"),
    "Patient": lazy("name, date of birth, address, phone and e-mail"),
    "Questionnaire": lazy("the questions before a visit"),
    "QuestionnaireResponse": lazy("answers to questions before a visit"),
    "RelatedPerson": lazy("people who arrange visits"),
    "Slot": lazy("times of visits"),
    "Device": CLINIC,
    "HealthcareService": CLINIC,
    "Location": CLINIC,
    "Organization": CLINIC,
    "Practitioner": CLINIC,
    "PractitionerRole": CLINIC,
    "Schedule": CLINIC,
}


@dataclass
class Permission:
    """Scopes that say the same to people."""

    text: str
    scopes: list[str]

    @property
    def value(self) -> str:
        return " ".join(self.scopes)


@dataclass
class App:
    """An app that somebody has let in, once or on several devices."""

    launches: list[Launch]

    @property
    def application(self) -> Any:
        return self.launches[0].application

    @property
    def patients(self) -> list[Patient]:
        return list(dict.fromkeys(each.patient for each in self.launches if each.patient))

    @property
    def permissions(self) -> list[Permission]:
        return permissions(scope for each in self.launches for scope in each.scope.split())

    @property
    def since(self) -> Any:
        return min(each.created for each in self.launches)

    @property
    def last_used(self) -> Any:
        return max(each.last_used for each in self.launches)


def apps(launches: Iterable[Launch]) -> list[App]:
    found: dict[int, App] = {}
    for each in launches:
        found.setdefault(each.application_id, App([])).launches.append(each)
    return list(found.values())


def permissions(scopes: Iterable[str]) -> list[Permission]:
    """What to decide one by one."""
    found: dict[str, Permission] = {}
    for each in dict.fromkeys(scopes):
        if scope := read_scope(each):
            text = _text(scope)
            found.setdefault(text, Permission(text, [])).scopes.append(each)
    return list(found.values())


def lasting(scopes: Sequence[str]) -> str:
    """For how long, where the person allows that."""
    if "offline_access" in scopes:
        return _("Keep access until you stop it, also while you are not using the app.")
    return _("Keep access for the next 12 hours.") if "online_access" in scopes else ""


def _text(scope: Scope) -> str:
    """See visits; Book, change and cancel visits; See insurance and change it."""
    thing = RECORD if scope.type == "*" and scope.level == "patient" else THINGS.get(scope.type, scope.type)
    words = {"thing": thing, "which": scope.constraint}
    may = set(scope.may)
    if may <= set("rs"):
        text = _("See %(thing)s")
    elif scope.type == "Appointment":
        text = _("Book, change and cancel %(thing)s") if "c" in may else _("Change and cancel %(thing)s")
    else:
        text = _("Add and change: %(thing)s") if may.isdisjoint("rs") else _("See, add and change: %(thing)s")
    if scope.constraint:
        text = _("%(what)s, only those with %%(which)s") % {"what": text}
    return text % words
