"""Criteria of `Appointment/$find` and `Slot/$prefetch`, read from their parameters.

http://fhir.org/guides/argonaut-scheduling and https://profiles.ihe.net/ITI/Scheduling. A
reference to another server finds nothing. `notes` are sentences for the answer about criteria that were not fully used.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model

from api.operations.argonaut.references import ReferenceTarget, find_rows, reference_target
from api.operations.parameters import Inputs, date_time, end_date_time
from clinic.fhir.issues import InvalidElement
from clinic.fhir.visit_types import Coding, normalised
from clinic.models import Location, Organization, Practitioner, PractitionerRole
from scheduling import availability
from scheduling.availability import Criteria
from scheduling.core.intervals import Span

CRITERIA = (
    "start",
    "end",
    "specialty",
    "visit-type",
    "practitioner",
    "organization",
    "location-string",
    "location-reference",
)
# The forms in Argonaut's own examples.
ALIASES = {"provider": "practitioner", "location": "location-string", "service-type": "visit-type"}
TOKEN = re.compile(r"(?P<system>[^|\s]+)\|(?P<code>[^|\s]+)")
MOST_VALUES = 100


@dataclass(frozen=True)
class SearchWindow:
    start: datetime
    end: datetime

    @property
    def span(self) -> Span:
        """The whole seconds in it."""
        return -int(-self.start.timestamp() // 1), int(self.end.timestamp() // 1)


def read_window(inputs: Inputs, now: datetime, notes: list[str], *, is_cut: bool = True) -> SearchWindow:
    """Read start and end, by default now and 31 days later. With `is_cut` a longer window is cut to that."""
    start = inputs.one("start", date_time) or now.replace(microsecond=0)
    furthest = start + availability.MAX_WINDOW
    end = inputs.one("end", end_date_time)
    if end is not None and end <= start:
        inputs.refuse("The search ends before it starts: name an end that is after the start, and after now.", "end")
    if end is None or (is_cut and end > furthest):
        notes.append(
            f"A search reaches {availability.MAX_WINDOW.days} days. This one ends with {furthest.isoformat()}."
        )
        end = furthest
    return SearchWindow(start, end)


def read_criteria(inputs: Inputs, base: str, notes: list[str]) -> Criteria:
    """Read the criteria, after the names were checked. A few statements, however many are named."""
    for name, meant in inputs.rename(ALIASES):
        notes.append(f"'{name}' was taken for '{meant}', which is the parameter's name.")
    for name in CRITERIA:
        if inputs.count(name) > MOST_VALUES:
            inputs.refuse(f"Too many values: {MOST_VALUES} at most", name)
    specialties, visit_types = inputs.every("specialty", coding), inputs.every("visit-type", coding)
    practitioners = inputs.every("practitioner", reference_target(base, "Practitioner", "PractitionerRole"))
    organizations = inputs.every("organization", reference_target(base, "Organization"))
    locations = inputs.every("location-reference", reference_target(base, "Location"))
    addresses = inputs.every("location-string", part_of_address)
    inputs.finish()
    return Criteria(
        visit_types=tuple(visit_types) or None,
        specialties=tuple(specialties) or None,
        practitioners=_practitioners(practitioners, notes) if practitioners else None,
        organizations=_keys(Organization, organizations, notes) if organizations else None,
        locations=_locations(locations, addresses, notes) if locations or addresses else None,
    )


# Types


def coding(value: Any) -> Coding:
    """Read a token with both parts, `system|code`, or a Coding."""
    if isinstance(value, dict):
        value = f"{value.get('system', '')}|{value.get('code', '')}"
    match = TOKEN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        text = "Both the system and the code are said, as in http://snomed.info/sct|394582007"
        raise InvalidElement(f"{text}; got {str(value)[:64]!r}.")
    return normalised(match["system"], match["code"])


def part_of_address(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidElement("Not a part of an address, such as a city, a state or a zip code.")
    return value.strip()


# Rows


def _keys(model: type[Model], sought: Sequence[ReferenceTarget], notes: list[str]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(row.pk for row in find_rows(model._default_manager.all(), sought, notes)))


def _practitioners(targets: Sequence[ReferenceTarget], notes: list[str]) -> tuple[int, ...]:
    """Return the keys of the practitioners; a role counts as its practitioner."""
    roles = [each for each in targets if each.kind == "PractitionerRole"]
    people = [each for each in targets if each.kind != "PractitionerRole"]
    found = _keys(Practitioner, people, notes)
    in_roles = find_rows(PractitionerRole.objects.all(), roles, notes)
    return tuple(dict.fromkeys((*found, *(role.practitioner_id for role in in_roles))))


def _locations(targets: Sequence[ReferenceTarget], addresses: Sequence[str], notes: list[str]) -> tuple[int, ...]:
    """Return the keys of the named locations, and only those at one of the addresses if there are any."""
    there = _at_addresses(addresses) if addresses else ()
    if not targets:
        return there
    rows = find_rows(Location.objects.all(), targets, notes)
    return tuple(dict.fromkeys(row.pk for row in rows if not addresses or (row.part_of_id or row.pk) in there))


def _at_addresses(addresses: Iterable[str]) -> tuple[int, ...]:
    """Return the sites at these addresses, in order: https://hl7.org/fhir/R4/search.html#string"""
    columns = ("name", "line", "city", "state", "postal_code", "country")
    rows = list(
        Location.objects.filter(part_of=None, deleted_at=None).order_by("name", "pk").values_list("pk", *columns)
    )
    texts = [(pk, [f" {_folded(part)}" for part in parts]) for pk, *parts in rows]
    searched = [f" {_folded(address)}" for address in addresses]
    return tuple(dict.fromkeys(pk for each in searched for pk, parts in texts if any(each in part for part in parts)))


def _folded(text: str) -> str:
    """Return the text without accents and case."""
    return "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each)).casefold()
