"""Patients' records that may be of one person: found by the worker, and rejected by staff if they are of two.

They are merged by scheduling.interactions.merging.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from datetime import date, datetime
from difflib import SequenceMatcher
from itertools import combinations

from django.db import transaction
from django.db.models import Q, QuerySet

from clinic import people_search
from clinic.folding import joined
from clinic.models import AuditEvent, DuplicatePair, Patient
from clinic.models.search_column import EMAIL, IDENTIFIER, PHONE, quoted
from clinic.parking import Parking
from scheduling import access
from scheduling.access import Caller
from scheduling.errors import Forbidden, NotFound
from scheduling.interactions.patient_matching import Person, person_of

Reason = DuplicatePair.Reason
BATCH = 500  # changed records that are compared with all others at once
ALIKE = 0.8  # of whole names
GIVEN_ALIKE = 0.6  # of given names: brothers and sisters have less in common
MISTYPED = 2  # digits of a birth date
# The weights of what two records have in common, up to 100.
WEIGHTS = {Reason.NAME: 35, Reason.BIRTH_DATE: 35, Reason.CONTACT: 30}
Position = tuple[datetime, int]


def compare_changed(after: Position | None, *, now: datetime) -> Position | None:
    """Compare a batch of the records that were written after this position with all others, and keep the pairs.

    Returns the position of the last one, or None if there was none. A constant number of statements.
    """
    aside = Parking("find duplicates", Patient, now=now)
    rows = Patient.objects.filter(deleted_at=None).exclude(pk__in=aside.waiting)
    if after is not None:
        new = Q(last_updated__gt=after[0]) | Q(last_updated=after[0], pk__gt=after[1])
        rows = rows.filter(new | Q(pk__in=aside.due))
    changed = list(rows.order_by("last_updated", "pk")[:BATCH])
    if not changed:
        return None
    keys = {patient.pk for patient in changed}
    alive = _people([patient for patient in changed if not _is_closed(patient)], aside)
    pairs = list(_pairs(alive.keys(), _people(_candidates(alive.values(), aside), aside) | alive, now))
    with transaction.atomic():
        DuplicatePair.objects.bulk_create(
            pairs,
            update_conflicts=True,
            unique_fields=["first", "second"],
            update_fields=["score", "reasons"],
            batch_size=1000,
        )
        found = {(pair.first_id, pair.second_id) for pair in pairs}
        known = DuplicatePair.objects.filter(Q(first__in=keys) | Q(second__in=keys), rejected=None)
        gone = [pk for pk, first, second in known.values_list("pk", "first", "second") if (first, second) not in found]
        # Merged records keep their pairs, in case the merge is undone; so do those that cannot be read now.
        kept = [*_closed_keys(changed), *aside.waiting]
        DuplicatePair.objects.filter(pk__in=gone).exclude(Q(first__in=kept) | Q(second__in=kept)).delete()
    position = changed[-1].last_updated, changed[-1].pk
    return position if after is None else max(position, after)


def open_pairs(caller: Caller) -> QuerySet[DuplicatePair]:
    """The pairs that wait for somebody to decide, the most alike first, for those who may merge records."""
    rows = DuplicatePair.objects.select_related("first", "second").filter(rejected=None)
    if not may_decide(caller):
        return rows.none()
    closed = Patient.closed("first__") | Patient.closed("second__")
    return rows.exclude(closed).filter(first__deleted_at=None, second__deleted_at=None)


@transaction.atomic
def reject_pair(pair_id: int, *, caller: Caller, now: datetime) -> DuplicatePair:
    """Remember that the records of a pair are two people's. Raises Forbidden, NotFound."""
    return _decide(pair_id, now, caller=caller, now=now)


@transaction.atomic
def reopen_pair(pair_id: int, *, caller: Caller, now: datetime) -> DuplicatePair:
    """Undo `reject_pair`."""
    return _decide(pair_id, None, caller=caller, now=now)


def _decide(pair_id: int, rejected: datetime | None, *, caller: Caller, now: datetime) -> DuplicatePair:
    if not may_decide(caller):
        raise Forbidden
    rows = DuplicatePair.objects.select_for_update(of=("self",)).select_related("first", "second")
    pair: DuplicatePair | None = rows.filter(pk=pair_id).first()
    if pair is None:
        raise NotFound("There is no such pair.")
    if (pair.rejected is None) == (rejected is None):
        return pair
    pair.rejected, pair.rejected_by = rejected, caller.user if rejected else None
    pair.save(update_fields=["rejected", "rejected_by"])
    subtype = "no duplicate" if rejected else "perhaps a duplicate"
    AuditEvent.objects.bulk_create(
        access.audit_event(
            subtype, AuditEvent.Action.UPDATE, caller=caller, now=now, patient_id=patient.pk, target=other.reference
        )
        for patient, other in ((pair.first, pair.second), (pair.second, pair.first))
    )
    return pair


def may_decide(caller: Caller) -> bool:
    """True for staff who may merge records, and so decide about pairs."""
    try:
        access.may_merge(caller)
    except Forbidden:
        return False
    return not caller.client


def _is_closed(patient: Patient) -> bool:
    return not patient.active or bool(patient.merged_into)


def _closed_keys(patients: Sequence[Patient]) -> list[int]:
    return [patient.pk for patient in patients if _is_closed(patient)]


def _people(patients: Collection[Patient], aside: Parking) -> dict[int, Person]:
    """Return the records that can be read, by their primary keys, and park the others."""
    people: dict[int, Person] = {}

    def read(patient: Patient) -> None:
        people[patient.pk] = person_of(patient)

    aside.process_each(patients, read, writes=False)
    return people


def _candidates(changed: Collection[Person], aside: Parking) -> list[Patient]:
    """The records that share a birth date, a number, an address or an identifier with one of these. One statement."""
    shared = Q(birth_date__in={person.birth_date for person in changed if person.birth_date})
    if words := {word for person in changed for word in _words(person)}:
        shared |= Q(people_search.matches(" | ".join(sorted(map(quoted, words)))))
    rows = Patient.objects.filter(shared, deleted_at=None).exclude(pk__in=aside.waiting)
    return list(rows.exclude(Patient.closed()))


def _words(person: Person) -> Iterator[str]:
    """Yield the words of the search column that two records of one person share."""
    for contact in person.contacts:
        yield f"{EMAIL}{contact}" if "@" in contact else f"{PHONE}{contact.removeprefix('+')}"
    for _system, value in person.identifiers:
        if word := joined(value):
            yield f"{IDENTIFIER}{word}"


def _pairs(changed: Set[int], people: Mapping[int, Person], now: datetime) -> Iterator[DuplicatePair]:
    """Yield the pairs of a changed record and another one that are alike."""
    groups: dict[object, set[int]] = {}
    for key, person in people.items():
        for shared in (person.birth_date, *person.contacts, *person.identifiers):
            if shared is not None:
                groups.setdefault(shared, set()).add(key)
    together = {
        pair for group in groups.values() for pair in combinations(sorted(group), 2) if not changed.isdisjoint(pair)
    }
    for first, second in sorted(together):
        if reasons := _reasons(people[first], people[second]):
            score = 100 if Reason.IDENTIFIER in reasons else sum(WEIGHTS[each] for each in reasons)
            yield DuplicatePair(first_id=first, second_id=second, score=score, reasons=reasons, found=now)


def _reasons(one: Person, other: Person) -> list[DuplicatePair.Reason]:
    """Return the reasons why two records may be one person's; none if they are not alike enough.

    People of one household share numbers and addresses, and twins a birth date: the given names must be alike too.
    """
    same = {
        Reason.NAME: _names_are_alike(one, other),
        Reason.BIRTH_DATE: one.birth_date is not None and one.birth_date == other.birth_date,
        Reason.CONTACT: bool(one.contacts & other.contacts),
        Reason.IDENTIFIER: bool(one.identifiers & other.identifiers),
    }
    reasons = [reason for reason, is_same in same.items() if is_same]
    by_contact = same[Reason.CONTACT] and not _are_born_apart(one.birth_date, other.birth_date)
    by_name = same[Reason.NAME] and (same[Reason.BIRTH_DATE] or by_contact)
    return reasons if by_name or same[Reason.IDENTIFIER] else []


def _are_born_apart(one: date | None, other: date | None) -> bool:
    """True unless the dates differ only as if they were mistyped: in one or two digits, as where two changed places."""
    if one is None or other is None:
        return False
    return sum(digit != there for digit, there in zip(one.isoformat(), other.isoformat(), strict=True)) > MISTYPED


def _names_are_alike(one: Person, other: Person) -> bool:
    straight = _alike(one.family + one.given, other.family + other.given)
    swapped = _alike(one.given + one.family, other.family + other.given)
    if swapped >= ALIKE:
        return True
    given = _alike(one.given, other.given) if one.given and other.given else 1.0
    is_short_form = bool(one.given and other.given) and (
        one.given.startswith(other.given) or other.given.startswith(one.given)
    )
    family = _alike(one.family, other.family)
    return family >= ALIKE and (is_short_form or (straight >= ALIKE and given >= GIVEN_ALIKE))


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()
