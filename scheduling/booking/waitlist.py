"""Use cases of the waiting list: joining it, changing the preferences of an entry, and leaving it.

An entry is an Appointment with the status `waitlist`, which takes no time: see clinic.fhir.waitlist.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.fhir.codes import CANCELLATION_REASON
from clinic.fhir.waitlist import WaitlistPreferences, replaced_visit, with_preferences
from clinic.models import Appointment, HealthcareService, Location, Patient
from clinic.models.base import new_fhir_id
from clinic.parking import Parking
from scheduling import access
from scheduling.access import Caller
from scheduling.booking.cancellation import end_visit
from scheduling.booking.holds import CLOCK
from scheduling.booking.idempotency import Once, refusals, use_case
from scheduling.booking.patients import lock_patients, survivor_of
from scheduling.booking.request import WITHOUT_REASON, Json, StatusRequest, participants_of
from scheduling.booking.transitions import audit, locked, save
from scheduling.errors import Forbidden, IllegalTransition, RuleBroken
from scheduling.participants import is_patient

MOST_ENTRIES = 10  # of one patient
BATCH = 100
# Columns of an entry that the waiting patient may change, and the element that only the clinic sets.
OWN_COLUMNS = frozenset({"participant", "requested_start", "requested_end", "comment", "extra"})
PRIORITY = "priority"
LEFT: Json = {"coding": [{"system": CANCELLATION_REASON, "code": "pat"}]}
OVER: Json = {"coding": [{"system": CANCELLATION_REASON, "code": "other"}], "text": "the time to wait is over"}


@dataclass(frozen=True, kw_only=True)
class WaitlistRequest:
    """A request to wait for a time of a service that comes free.

    `register` returns a new patient instead of `patient`, in the same transaction. `priority` is FHIR's: 1 is the most
    urgent, 0 is none.
    """

    service: HealthcareService
    patient: Patient | None = None
    register: Callable[[], Patient] | None = None
    preferences: WaitlistPreferences = field(default_factory=WaitlistPreferences)
    comment: str = ""
    priority: int = 0


@use_case
def join_waitlist(request: WaitlistRequest, *, caller: Caller, now: datetime, once: Once | None = None) -> Appointment:
    """Put the patient on the waiting list.

    Raises Forbidden; RuleBroken if they wait for the same already, or the visit to be moved is not theirs to move.
    """
    return join_within(request, caller=caller, now=now)


def join_within(request: WaitlistRequest, *, caller: Caller, now: datetime) -> Appointment:
    """Put the patient on the waiting list in the transaction of another use case: see `join_waitlist`."""
    patient = request.register() if request.register else request.patient
    assert patient is not None  # a page or a client names one, or registers one
    entry = Appointment(
        fhir_id=new_fhir_id(),
        status=Appointment.Status.WAITLIST,
        service=request.service,
        patient=survivor_of(patient),
        comment=request.comment,
        created=now,
        last_updated=now,
        extra={PRIORITY: request.priority} if request.priority else {},
    )
    _set_preferences(entry, request.preferences)
    return add_entry(entry, caller=caller, now=now)


def add_entry(entry: Appointment, *, caller: Caller, now: datetime) -> Appointment:
    """Store a new entry, in the transaction of a use case."""
    if entry.service is None or entry.patient is None:
        text = _("A waiting list entry names a service and a patient.")
        raise RuleBroken(text, expression="Appointment.serviceType" if entry.patient else "Appointment.participant")
    access.may_wait(caller, entry.service, entry.patient)
    _require_may_prioritise(entry, caller)
    lock_patients([entry.patient])
    _require_movable_visit(entry, now)
    _require_new(entry)
    entry.created, entry.last_updated = entry.created or now, now
    entry.save()
    audit("join", entry, caller=caller, now=now)
    return entry


@use_case
def change_preferences(
    entry_id: str, preferences: WaitlistPreferences, *, caller: Caller, now: datetime, once: Once | None = None
) -> Appointment:
    """Replace the preferences of an entry; its place on the list stays."""
    entry = locked(entry_id, caller)
    _require_waiting(entry)
    _set_preferences(entry, preferences)
    _require_movable_visit(entry, now)
    save(entry, now)
    audit("amend", entry, caller=caller, now=now)
    return entry


@use_case
def prioritise(entry_id: str, priority: int, *, caller: Caller, now: datetime, once: Once | None = None) -> Appointment:
    """Set how urgent an entry is: FHIR's priority, where 1 is the most urgent and 0 is none. Staff only."""
    entry = locked(entry_id, caller)
    _require_waiting(entry)
    if not (caller.is_system or access.runs_waitlist(caller, entry.service)):
        raise Forbidden(_("Only the clinic sets how urgent it is."))
    others = {name: value for name, value in entry.extra.items() if name != PRIORITY}
    entry.extra = {**others, PRIORITY: priority} if priority else others
    save(entry, now)
    audit("prioritise", entry, caller=caller, now=now)
    return entry


@use_case
def leave_waitlist(entry_id: str, *, caller: Caller, now: datetime, once: Once | None = None) -> Appointment:
    """End an entry. A time that is held for it is offered to the next. Leaving twice changes nothing."""
    entry = locked(entry_id, caller)
    if entry.status == Appointment.Status.CANCELLED and entry.start is None:
        return entry
    _require_waiting(entry)
    return end_entry(entry, StatusRequest(reason=LEFT), caller=caller, now=now)


def end_entry(
    entry: Appointment, request: StatusRequest = WITHOUT_REASON, *, caller: Caller, now: datetime
) -> Appointment:
    """End a locked entry, with the time that is held for it."""
    return end_visit(entry, Appointment.Status.CANCELLED, request, caller=caller, now=now, subtype="unlist")


def changes_of_entry(entry: Appointment, changes: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """The changes of an entry that the caller may make by writing the Appointment. Raises RuleBroken for others.

    When it was created decides its place, and stays.
    """
    changes = {name: value for name, value in changes.items() if name != "created"}
    if caller.is_system or access.runs_waitlist(caller, entry.service):
        return changes
    allowed = {name: value for name, value in changes.items() if name in OWN_COLUMNS}
    others = {name for name in changes.keys() - OWN_COLUMNS if changes[name] != getattr(entry, name)}
    patients = [each for each in allowed.get("participant", entry.participant) if is_patient(each)]
    if others or patients != [each for each in entry.participant if is_patient(each)]:
        raise RuleBroken(_("You can change the times that you would like, or leave the waiting list."))
    if allowed.get("extra", entry.extra).get(PRIORITY) != entry.extra.get(PRIORITY):
        raise RuleBroken(_("Only the clinic sets how urgent it is."), expression="Appointment.priority")
    return allowed


def _set_preferences(entry: Appointment, preferences: WaitlistPreferences) -> None:
    assert entry.patient is not None  # add_entry checks it
    actors = [
        {"actor": {"reference": reference, "display": name}, "required": "optional", "status": "tentative"}
        for reference, name in preferences.actors
    ]
    entry.participant = [*actors, *participants_of((), [entry.patient], "accepted")]
    entry.requested_start, entry.requested_end = preferences.not_before, preferences.until
    entry.extra = with_preferences(entry.extra, preferences)
    sites = [_site(reference) for reference in preferences.sites]
    entry.site = sites[0] if len(sites) == 1 else None


def _site(reference: str) -> Location | None:
    return Location.objects.filter(fhir_id=reference.removeprefix("Location/"), deleted_at=None).first()


def _require_waiting(entry: Appointment) -> None:
    if not entry.is_waiting:
        raise IllegalTransition(entry.status, "changed on the waiting list")


def _require_may_prioritise(entry: Appointment, caller: Caller) -> None:
    if entry.extra.get(PRIORITY) and not (caller.is_system or access.runs_waitlist(caller, entry.service)):
        raise RuleBroken(_("Only the clinic sets how urgent it is."), expression="Appointment.priority")


def _require_movable_visit(entry: Appointment, now: datetime) -> None:
    """Raise RuleBroken unless the visit that the entry would move, if any, is the patient's, booked and to come."""
    if replaced_visit(entry) and not visits_to_move([entry], now=now):
        text = _("The visit to be moved is not booked, or is not for the same patient and service.")
        raise RuleBroken(text, expression="Appointment.extension")


def end_waits_that_are_over(*, now: datetime) -> int:
    """End the entries whose time to wait is over, or whose visit has begun or is no longer booked. Returns how many."""
    with refusals(), transaction.atomic(durable=True):
        aside = Parking("end waits that are over", Appointment, now=now)
        entries = Appointment.objects.filter(status=Appointment.Status.WAITLIST, deleted_at=None)
        named = [
            entry
            for entry in entries.exclude(pk__in=aside.waiting).order_by("pk")
            if _is_over_or_names_visit(entry, now)
        ]
        visits = visits_to_move(named, now=now)
        over = [entry.pk for entry in named if entry.pk not in visits or _is_over(entry, now)]
        locked = entries.filter(pk__in=over).select_for_update(skip_locked=True, no_key=True).order_by("pk")[:BATCH]
        return aside.process_each(locked, partial(_end_over, now=now))


def _is_over(entry: Appointment, now: datetime) -> bool:
    return entry.requested_end is not None and entry.requested_end <= now


def _is_over_or_names_visit(entry: Appointment, now: datetime) -> bool:
    return _is_over(entry, now) or bool(replaced_visit(entry))


def _end_over(entry: Appointment, now: datetime) -> None:
    end_entry(entry, StatusRequest(reason=OVER), caller=CLOCK, now=now)


def visits_to_move(entries: Sequence[Appointment], *, now: datetime) -> dict[int, Appointment]:
    """The booked visits to come that these entries would move, by the entry's primary key. One statement at most."""
    named = {entry.pk: replaced_visit(entry).removeprefix("Appointment/") for entry in entries}
    ids = [fhir_id for fhir_id in named.values() if fhir_id]
    if not ids:
        return {}
    rows = Appointment.objects.filter(
        fhir_id__in=ids, status=Appointment.Status.BOOKED, start__gt=now, deleted_at=None
    ).select_related("service", "patient", "site")
    visits = {row.fhir_id: row for row in rows}
    found = {}
    for entry in entries:
        visit = visits.get(named[entry.pk])
        if visit and (visit.patient_id, visit.service_id) == (entry.patient_id, entry.service_id):
            found[entry.pk] = visit
    return found


def _require_new(entry: Appointment) -> None:
    """Raise RuleBroken if the patient waits for the same already, or for too many things. Needs `lock_patients`."""
    entries = Appointment.objects.filter(patient=entry.patient_id, status=Appointment.Status.WAITLIST, deleted_at=None)
    others = [other for other in entries if other.pk != entry.pk]
    if any((other.service_id, replaced_visit(other)) == (entry.service_id, replaced_visit(entry)) for other in others):
        raise RuleBroken(_("You are on the waiting list for this already."))
    if len(others) >= MOST_ENTRIES:
        raise RuleBroken(_("You are waiting for many visits already. Leave one of the lists first."))
