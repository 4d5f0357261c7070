"""Whether a person is a patient already: by an identifier, by name, birth date and gender, or by name, birth date and a
telephone number or email address in common.

Case, accents, apostrophes, hyphens and spaces make no difference (clinic.folding), nor how a number is written.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet

from clinic import phones
from clinic.fhir.resources import RESOURCES, InvalidResource, References
from clinic.folding import joined
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
    contacts: frozenset[str] = frozenset()

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
        if self.family:
            yield from (f"{self.family}|{self.given}|{self.birth_date}|{contact}" for contact in self.contacts)

    def is_same(self, other: "Person") -> bool:
        if self.identifiers & other.identifiers:
            return True
        if self.contradicts(other):
            return False
        return (self.key is not None and self.key == other.key) or self.is_reached_as(other)

    def is_reached_as(self, other: "Person") -> bool:
        """True if name, birth date and an address are the same, and nothing says that they are two people."""
        return self.birth_date is not None and self.shares_address(other)

    def shares_address(self, other: "Person") -> bool:
        """True if they are reached as one, also where neither's day of birth is known."""
        same = (self.family, self.given, self.birth_date) == (other.family, other.given, other.birth_date)
        genders = {self.gender, other.gender} - {"", "unknown"}
        return same and bool(self.family) and len(genders) < 2 and bool(self.contacts & other.contacts)

    def likeness(self, other: "Person") -> float:
        """From 0 to 1, where they are the same."""
        if self.is_same(other):
            return 1.0
        shared = [name for name in WEIGHTS if getattr(self, name) and getattr(self, name) == getattr(other, name)]
        return min(round(sum(WEIGHTS[name] for name in shared), 2), ALMOST)

    def contradicts(self, other: "Person") -> bool:
        """True if both have identifiers of one system, and none in common: they are namesakes."""
        systems = {system for system, _ in self.identifiers} & {system for system, _ in other.identifiers}
        return bool(systems) and not self.identifiers & other.identifiers


def person(fields: Mapping[str, Any]) -> Person:
    """From the columns of a Patient. An identifier without a system could be anyone's."""
    sent = [each for each in (fields.get("extra") or {}).get("telecom") or () if each.get("use") != "old"]
    numbers = {fields.get("phone"), *(each.get("value") for each in sent if each.get("system") in ("phone", "sms"))}
    addresses = {fields.get("email"), *(each.get("value") for each in sent if each.get("system") == "email")}
    family, given = joined(fields.get("family") or ""), joined(fields.get("given") or "")
    return Person(
        family=family or given,  # one name alone is the same in either place
        given=given if family else "",
        birth_date=fields.get("birth_date"),
        gender=fields.get("gender") or "",
        identifiers=frozenset(
            (each["system"], each["value"])
            for each in fields.get("identifier") or ()
            if each.get("system") and each.get("value")
        ),
        contacts=frozenset(
            {phones.dialled(each) for each in numbers if each} | {each.lower() for each in addresses if each}
        )
        - {""},
    )


def person_of(patient: Patient) -> Person:
    return person(vars(patient))


def recognised(entries: Sequence[Entry]) -> Matched:
    """The entries without the new Patients who are patients already, and who those are.

    What refers to them refers to the patients who are there. Until we commit nobody else registers them. Left alone is
    what an update by search creates, and what cannot be read.
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
