"""Records of visits that somebody booked as a guest by telephone: the account of the same person takes them over, once
its owner has proven the number.
"""

from collections.abc import Collection
from datetime import datetime
from enum import Enum, auto
from itertools import combinations

from django.db import transaction

from clinic import childhood, people_search
from clinic.models import DuplicatePair, Patient
from clinic.models.search_column import PHONE, quoted
from scheduling import access, booking, notifications
from scheduling.access import Caller
from scheduling.booking.idempotency import refusals
from scheduling.errors import Forbidden, SchedulingError, VersionConflict
from scheduling.interactions import merging
from scheduling.interactions.details import change_details
from scheduling.interactions.merging import MergeRequest, RecordName
from scheduling.interactions.patient_matching import Person, person_from, person_of

KEPT = frozenset({"link", "birthDate"})  # elements that say something about one record alone


class Adoption(Enum):
    """The result of looking for a guest's records: nothing was found, they were taken over, or the clinic decides."""

    NOTHING = auto()
    DONE = auto()
    UNCLEAR = auto()


def confirm_number(number: str, *, caller: Caller, now: datetime) -> Adoption:
    """Write a number that the caller has proven into the record of their account, which then takes over the visits
    that they booked with it as a guest.

    Raises Forbidden, and ScheduleBusy if somebody changes the record at this moment.
    """
    if caller.patient is None:
        raise Forbidden
    with refusals():
        change_details(caller.patient.fhir_id, {"phone": number}, caller=caller, now=now)
    return adopt_records(number, caller=caller, now=now)


def adopt_records(number: str, *, caller: Caller, now: datetime) -> Adoption:
    """Merge the records without an account that have this number, proven by the caller, and the name and birth date of
    the caller's record into that record.

    Nothing is merged, and the clinic has to decide, if one of them has an account, is a child's in the care of others,
    or contradicts another, if somebody else has the number too, or if the merge is refused.
    """
    own = caller.patient
    if own is None:
        return Adoption.NOTHING
    access.may_adopt_records(caller, own)
    known = [patient for patient in _with_number(number) if patient.pk != own.pk]
    same = [patient for patient in known if _is_same(patient, own, number)]
    if not same:
        return Adoption.NOTHING
    others = [patient for patient in known if patient not in same and patient.pk not in caller.patients]
    if others or _is_unclear([own, *same], number, now):
        return Adoption.UNCLEAR
    try:
        with refusals(), transaction.atomic():
            _merge_into(own, same, number, caller, now)
    except SchedulingError:
        return Adoption.UNCLEAR
    return Adoption.DONE


def is_in_parents_care(patient: Patient, now: datetime) -> bool:
    """True if somebody cares for the patient, who is too young for an account of their own."""
    carers = patient.related_persons.filter(active=True, deleted_at=None, user__isnull=False)
    return not childhood.is_old_enough(patient.birth_date, now) and carers.exists()


def _merge_into(own: Patient, same: Collection[Patient], number: str, caller: Caller, now: datetime) -> None:
    """Merge these records into the account's own. Raises VersionConflict if one of them was changed before it was
    locked, as by another account that has taken it over.
    """
    locked = booking.lock_records([own, *same])
    target = locked.pop(own.pk, None)
    if target is None or len(locked) < len(same):
        raise VersionConflict
    access.may_adopt_records(caller, target)
    for source in locked.values():
        if source.user_id or not source.active or not _is_same(source, target, number):
            raise VersionConflict
        request = MergeRequest(
            source=RecordName(fhir_id=source.fhir_id),
            target=RecordName(fhir_id=target.fhir_id),
            taken=_missing(source, target),
        )
        merging.merge_locked(source, target, request, caller=caller, now=now)
    notifications.plan_reminders(target, now=now)


def _with_number(number: str) -> list[Patient]:
    """Return the open records with this number, in whatever notation it was stored. One statement."""
    rows = Patient.objects.filter(people_search.matches(quoted(f"{PHONE}{number.removeprefix('+')}")), deleted_at=None)
    return [patient for patient in rows.exclude(Patient.closed()).order_by("pk") if _has(patient, number)]


def _has(patient: Patient, number: str) -> bool:
    return number in person_of(patient).contacts


def _is_same(patient: Patient, own: Patient, number: str) -> bool:
    """True if name and birth date are those of the account's record, as a guest's must be."""
    return patient.born == own.born and person_of(patient).shares_address(_owner(own, number))


def _is_unclear(records: Collection[Patient], number: str, now: datetime) -> bool:
    """True if the records, the account's own first, may be of several people, or are not theirs alone."""
    own, *same = records
    if any(patient.user_id or is_in_parents_care(patient, now) for patient in same):
        return True
    keys = [patient.pk for patient in records]
    told_apart = DuplicatePair.objects.filter(first__in=keys, second__in=keys, rejected__isnull=False)
    people = [_owner(own, number), *map(person_of, same)]
    contradict = any(one.contradicts(other) or not one.shares_address(other) for one, other in combinations(people, 2))
    return contradict or told_apart.exists()


def _owner(own: Patient, number: str) -> Person:
    """Return the owner of the account as a person with the number that they have proven."""
    return person_from({**vars(own), "phone": number})


def _missing(source: Patient, target: Patient) -> frozenset[str]:
    """Return the columns and elements that only the source has, which the target takes."""
    columns = {name for name in merging.COLUMNS if getattr(source, name) and not getattr(target, name)}
    names = {"given", "family"}  # a single name stands in either column, and stays there
    return frozenset((columns - names) | (source.extra.keys() - target.extra.keys() - KEPT))
