"""Whether a person is a patient already: by an identifier, or by name, birth date and gender together.

Case, accents and spaces make no difference.
"""

import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet

from clinic.fhir.resources import RESOURCES, InvalidResource, References
from clinic.models import Patient
from scheduling import booking
from scheduling.interactions.conditions import Matched, SeveralMatch
from scheduling.interactions.entries import Entry, Problem, renamed

BATCH = 100
# How much it says that two people have this in common.
WEIGHTS = {"family": 0.35, "birth_date": 0.3, "given": 0.25, "gender": 0.1}
ALMOST = 0.95


@dataclass(frozen=True)
class Person:
    """What somebody is told apart by."""

    family: str
    given: str
    birth_date: date | None
    gender: str
    identifiers: frozenset[tuple[str, str]]

    @cached_property
    def key(self) -> tuple[str, str, str, str] | None:
        """Equal for the same person; None where not enough is known."""
        parts = (self.family, self.given, str(self.birth_date or ""), self.gender)
        return parts if all(parts) else None

    def names(self) -> Iterator[str]:
        """What two registrations of one person have in common."""
        yield from (f"{system}|{value}" for system, value in self.identifiers)
        if self.key:
            yield "|".join(self.key)

    def is_same(self, other: "Person") -> bool:
        if self.identifiers & other.identifiers:
            return True
        return self.key is not None and self.key == other.key and not self.contradicts(other)

    def likeness(self, other: "Person") -> float:
        """From 0 to 1, where they are the same."""
        if self.is_same(other):
            return 1.0
        shared = [name for name in WEIGHTS if getattr(self, name) and getattr(self, name) == getattr(other, name)]
        return min(round(sum(WEIGHTS[name] for name in shared), 2), ALMOST)

    def contradicts(self, other: "Person") -> bool:
        """Whether both have identifiers of one system, and none in common: they are namesakes."""
        systems = {system for system, _ in self.identifiers} & {system for system, _ in other.identifiers}
        return bool(systems) and not self.identifiers & other.identifiers


def person(fields: Mapping[str, Any]) -> Person:
    """From the columns of a Patient. An identifier without a system could be anyone's."""
    return Person(
        family=folded(fields.get("family", "")),
        given=folded(fields.get("given", "")),
        birth_date=fields.get("birth_date"),
        gender=fields.get("gender", ""),
        identifiers=frozenset(
            (each["system"], each["value"])
            for each in fields.get("identifier", ())
            if each.get("system") and each.get("value")
        ),
    )


def person_of(patient: Patient) -> Person:
    return person(vars(patient))


def folded(text: str) -> str:
    """Without case, accents and needless spaces."""
    bare = (each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return " ".join("".join(bare).casefold().split())


def recognised(entries: Sequence[Entry]) -> Matched:
    """The entries without the new Patients who are patients already, and who those are.

    What refers to them refers to the patients who are there. Until we commit nobody else registers them. Left alone is
    what has a condition of its own, and what cannot be read.
    """
    wanted = [(entry, person(read)) for entry in entries if _is_registration(entry) and (read := _read(entry))]
    if not wanted:
        return Matched(list(entries))
    people = [each for _, each in wanted]
    booking.lock_registration(name for each in people for name in each.names())
    known = list(candidates(people, Patient.objects.filter(active=True, deleted_at=None)))
    result = Matched()
    for entry, each in wanted:
        try:
            if patient := _one(each, known):
                result.there.append((entry, patient))
        except SeveralMatch as error:
            result.problems.append(Problem(entry.index, entry.reference, error))
    names = {entry.reference: patient.reference for entry, patient in result.there}
    result.entries = renamed([entry for entry in entries if entry.reference not in names], names)
    return result


def candidates(people: Collection[Person], rows: QuerySet[Patient]) -> Iterator[Patient]:
    """The rows that could be one of them. A statement for each hundred."""
    conditions = [could_be(each) for each in people]
    for first in range(0, len(conditions), BATCH):
        either = Q(pk__in=[])
        for condition in conditions[first : first + BATCH]:
            either |= condition
        yield from rows.filter(either)


def _is_registration(entry: Entry) -> bool:
    return entry.type == "Patient" and entry.interaction == "create" and not entry.condition


def _read(entry: Entry) -> Mapping[str, Any] | None:
    from_fhir = RESOURCES["Patient"].from_fhir
    assert from_fhir is not None
    try:
        return from_fhir(entry.resource, References()).fields
    except InvalidResource:
        return None


def could_be(sought: Person) -> Q:
    """Those who share an identifier or the day of birth; whether they are the same, `is_same` says."""
    condition = Q(pk__in=[])
    for system, value in sought.identifiers:
        condition |= Q(identifier__contains=[{"system": system, "value": value}])
    return condition | Q(birth_date=sought.birth_date) if sought.birth_date else condition


def _one(sought: Person, known: Sequence[Patient]) -> Patient | None:
    others = {patient.pk: (patient, person_of(patient)) for patient in known}.values()
    same = [patient for patient, other in others if sought.identifiers & other.identifiers]
    same = same or [patient for patient, other in others if sought.is_same(other)]
    if len(same) > 1:
        raise SeveralMatch("Several patients match. Send an identifier that is one person's, or ask the clinic.")
    return same[0] if same else None
