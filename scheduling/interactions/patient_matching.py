"""Matching of people with registered patients: by identifier; by name, birth date and gender; or by name, birth date
and a shared phone number or email address.

Case, accents, apostrophes, hyphens and spaces are ignored (clinic.folding), and so is the notation of phone numbers.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
from scheduling.interactions.conditions import ConditionResult, SeveralMatch
from scheduling.interactions.entries import Entry, EntryProblem, renamed

BATCH = 100
# Weights for the score of a partial match.
WEIGHTS = {"family": 0.35, "birth_date": 0.3, "given": 0.25, "gender": 0.1}
ALMOST = 0.95


@dataclass(frozen=True)
class Person:
    """The data of a person that are compared to match people."""

    family: str
    given: str
    birth_date: date | None
    gender: str
    identifiers: frozenset[tuple[str, str]]
    contacts: frozenset[str] = frozenset()

    @cached_property
    def key(self) -> tuple[str, str, str, str] | None:
        """Equal for the same person; None if data is missing."""
        parts = (self.family, self.given, str(self.birth_date or ""), self.gender)
        return parts if all(parts) else None

    def names(self) -> Iterator[str]:
        """Lock names: two registrations of the same person have at least one in common."""
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
        """True if name, birth date and a contact are equal, and nothing contradicts."""
        return self.birth_date is not None and self.shares_address(other)

    def shares_address(self, other: "Person") -> bool:
        """True if name, birth date and a contact are equal, where both birth dates may be missing, and nothing
        contradicts.
        """
        same = (self.family, self.given, self.birth_date) == (other.family, other.given, other.birth_date)
        genders = {self.gender, other.gender} - {"", "unknown"}
        return same and bool(self.family) and len(genders) < 2 and bool(self.contacts & other.contacts)

    def likeness(self, other: "Person") -> float:
        """The match score, from 0 to 1 for the same person."""
        if self.is_same(other):
            return 1.0
        shared = [name for name in WEIGHTS if getattr(self, name) and getattr(self, name) == getattr(other, name)]
        return min(round(sum(WEIGHTS[name] for name in shared), 2), ALMOST)

    def contradicts(self, other: "Person") -> bool:
        """True if both have identifiers of one system but none in common: they are two people of one name."""
        systems = {system for system, _ in self.identifiers} & {system for system, _ in other.identifiers}
        return bool(systems) and not self.identifiers & other.identifiers


class KnownPeople:
    """Registered patients, by what is equal in two records of one person, so that thousands are matched quickly."""

    def __init__(self, rows: Iterable[Patient]) -> None:
        self._by_identifier: dict[tuple[str, str], dict[int, Patient]] = defaultdict(dict)
        self._by_name: dict[tuple[str, str, date | None], dict[int, tuple[Patient, Person]]] = defaultdict(dict)
        for row in rows:
            person = person_of(row)
            self._by_name[person.family, person.given, person.birth_date][row.pk] = (row, person)
            for identifier in person.identifiers:
                self._by_identifier[identifier][row.pk] = row

    def match(self, sought: Person) -> Patient | None:
        """Return the patient who is this person, or None. Raises SeveralMatch."""
        identified = {pk: row for each in sought.identifiers for pk, row in self._by_identifier[each].items()}
        named = self._by_name[sought.family, sought.given, sought.birth_date].values()
        same = list(identified.values()) or [row for row, person in named if sought.is_same(person)]
        if len(same) > 1:
            raise SeveralMatch("Several patients match. Send an identifier that is one person's, or ask the clinic.")
        return same[0] if same else None


def person_from(fields: Mapping[str, Any]) -> Person:
    """The person in the columns of a Patient. Identifiers without a system are ignored, since they may be anyone's."""
    sent = [each for each in (fields.get("extra") or {}).get("telecom") or () if each.get("use") != "old"]
    numbers = {fields.get("phone"), *(each.get("value") for each in sent if each.get("system") in ("phone", "sms"))}
    addresses = {fields.get("email"), *(each.get("value") for each in sent if each.get("system") == "email")}
    family, given = joined(fields.get("family") or ""), joined(fields.get("given") or "")
    return Person(
        family=family or given,  # a single name matches in either place
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
    return person_from(vars(patient))


def without_known_patients(entries: Sequence[Entry]) -> ConditionResult:
    """The entries without new Patients who are registered already; those are in `existing` with their rows.

    References to them are replaced by references to the registered patients. Until commit nobody else can register
    them. Conditional creates and unreadable resources are left alone.
    """
    registrations = [
        (entry, person_from(read)) for entry in entries if _is_registration(entry) and (read := _read(entry))
    ]
    if not registrations:
        return ConditionResult(list(entries))
    people = [each for _, each in registrations]
    booking.lock_registration(name for each in people for name in each.names())
    known = KnownPeople(candidates(people, _active_patients()))
    result = ConditionResult()
    for entry, patient_details in registrations:
        try:
            if patient := known.match(patient_details):
                result.existing.append((entry, patient))
        except SeveralMatch as error:
            result.problems.append(EntryProblem(entry.index, entry.reference, error))
    names = {entry.reference: patient.reference for entry, patient in result.existing}
    result.entries = renamed([entry for entry in entries if entry.reference not in names], names)
    return result


def registered(registration: Entry) -> Patient | None:
    """The patient whom this entry would register again, or None, also for an unreadable resource. Nothing is locked.

    Raises SeveralMatch.
    """
    read = _read(registration)
    if not read:
        return None
    person = person_from(read)
    return KnownPeople(candidates([person], _active_patients())).match(person)


def candidates(people: Collection[Person], rows: QuerySet[Patient]) -> Iterator[Patient]:
    """The rows that may match one of these people. One statement for each hundred people."""
    conditions = [could_be(each) for each in people]
    for first in range(0, len(conditions), BATCH):
        either = Q(pk__in=[])
        for condition in conditions[first : first + BATCH]:
            either |= condition
        yield from rows.filter(either)


def _active_patients() -> QuerySet[Patient]:
    return Patient.objects.filter(active=True, deleted_at=None)


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
    """The condition for rows with a common identifier or birth date; `is_same` decides if they match."""
    condition = Q(pk__in=[])
    for system, value in sought.identifiers:
        condition |= Q(identifier__contains=[{"system": system, "value": value}])
    return condition | Q(birth_date=sought.birth_date) if sought.birth_date else condition
