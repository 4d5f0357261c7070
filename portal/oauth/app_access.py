"""Permissions of apps in plain words, for the people who decide about them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from clinic import time_text
from clinic.models import RESOURCE_MODELS, Launch, Patient
from scheduling.access import Scope, read_scope

CLINIC = lazy("the clinic, its people, rooms and services")
RECORD = lazy("everything in this record, and what the clinic offers")
# Plain names of resource types, from their declarations; a type without one is shown by its own name.
THINGS: dict[str, Any] = {
    "*": lazy("everything that you can see here yourself"),
    **{model.RESOURCE_TYPE: CLINIC for model in RESOURCE_MODELS if model.DESCRIBES_CLINIC},
    **{model.RESOURCE_TYPE: model.PLAIN_NAME for model in RESOURCE_MODELS if model.PLAIN_NAME},
}
# Plain names of the search parameters of a scope, and of the prefixes of dates.
PARAMETERS: dict[str, Any] = {
    "_id": lazy("number"),
    "appointment-type": lazy("kind of visit"),
    "birthdate": lazy("date of birth"),
    "date": lazy("day"),
    "gender": lazy("gender"),
    "location": lazy("place"),
    "patient": lazy("patient"),
    "practitioner": lazy("practitioner"),
    "service-type": lazy("service"),
    "specialty": lazy("specialty"),
    "start": lazy("day"),
    "status": lazy("status"),
}
PREFIXES: dict[str, Any] = {
    "ge": lazy("from %(day)s"),
    "le": lazy("until %(day)s"),
    "gt": lazy("after %(day)s"),
    "sa": lazy("after %(day)s"),
    "lt": lazy("before %(day)s"),
    "eb": lazy("before %(day)s"),
    "ne": lazy("other than %(day)s"),
}
DAY = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(\d{4}-\d{2}-\d{2})")


@dataclass
class Permission:
    """Scopes with the same plain text."""

    text: str
    scopes: list[str]

    @property
    def value(self) -> str:
        return " ".join(self.scopes)


@dataclass
class App:
    """An app to which a user has given access, on one or several devices."""

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
    def lasts(self) -> str:
        scopes = {scope for each in self.launches for scope in each.scope.split()}
        if "offline_access" in scopes:
            return _("Until you stop it")
        return _("Until you sign out, for 12 hours at most") if "online_access" in scopes else _("For one hour")

    @property
    def since(self) -> Any:
        return min(each.created for each in self.launches)

    @property
    def last_used(self) -> Any:
        return max(each.last_used for each in self.launches)


def apps(launches: Iterable[Launch]) -> list[App]:
    found: dict[int, App] = {}
    for launch in launches:
        found.setdefault(launch.application_id, App([])).launches.append(launch)
    return list(found.values())


def permissions(scopes: Iterable[str]) -> list[Permission]:
    """Return the permissions that these scopes ask for, to be decided one by one."""
    found: dict[str, Permission] = {}
    for written in dict.fromkeys(scopes):
        if scope := read_scope(written):
            text = _text(scope)
            found.setdefault(text, Permission(text, [])).scopes.append(written)
    return list(found.values())


def lasting(scopes: Sequence[str]) -> str:
    """Return in words how long the access lasts; empty for a short access."""
    if "offline_access" in scopes:
        return _("Keep access until you stop it, also while you are not using the app.")
    if "online_access" in scopes:
        return _("Keep access until you sign out here, for 12 hours at most.")
    return ""


def _text(scope: Scope) -> str:
    """Return the text of a scope, such as "See visits" or "Book, change and cancel visits"."""
    thing = RECORD if scope.type == "*" and scope.level == "patient" else THINGS.get(scope.type, scope.type)
    may = set(scope.may)
    if may <= set("rs"):
        text = _("See %(thing)s")
    elif scope.type == "Appointment":
        text = _("Book, change and cancel %(thing)s") if "c" in may else _("Change and cancel %(thing)s")
    else:
        text = _("Add and change: %(thing)s") if may.isdisjoint("rs") else _("See, add and change: %(thing)s")
    text %= {"thing": thing}
    if scope.constraint:
        return _("%(what)s, only those with: %(which)s") % {"what": text, "which": _which(scope.constraint)}
    return text


def _which(constraint: str) -> str:
    """Return a scope's constraint in words: "status booked or pending, day from 1 January 2026"."""
    return ", ".join(_condition(name, value) for name, value in parse_qsl(constraint, keep_blank_values=True))


def _condition(name: str, value: str) -> str:
    plain, _colon, modifier = name.partition(":")
    words = {
        "name": PARAMETERS.get(plain, plain.replace("-", " ")),
        "value": _(" or ").join(map(_value, value.split(","))),
    }
    return (_("%(name)s not %(value)s") if modifier == "not" else _("%(name)s %(value)s")) % words


def _value(text: str) -> str:
    """Return a search value in words: a formatted day, or a code without its system."""
    if found := DAY.fullmatch(text):
        try:
            day = time_text.plain_day(date.fromisoformat(found[2]))
        except ValueError:
            return text
        return str(PREFIXES.get(found[1], "%(day)s")) % {"day": day}
    return text.rpartition("|")[2]
