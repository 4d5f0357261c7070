"""Use cases of recalls: patients who are to be seen again, by a member of staff or by the rule of a service.

A patient is told some weeks before, with a link to the times, and reminded. A recall ends when they book a visit of
that kind, on a page or by the API; when they decline; or when staff end it.
"""

import calendar
from collections.abc import Collection
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from clinic.country import clinic_zone
from clinic.models import Appointment, HealthcareService, Patient, Practitioner, Task
from clinic.parking import Parking
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.booking.transitions import audit
from scheduling.errors import Invalid, NotFound, RuleBroken
from scheduling.participants import references_of, visit_of_patient

TENDING = "tend recalls"
TOLD_AT = time(10)  # of the clinic's day
RULES_LOOK_BACK = timedelta(days=7)  # a rule counts from when it is set
BATCH = 500
Status = Task.Status
# Statuses of the visit that ends a recall.
TAKEN = ("pending", "booked", "arrived", "checked-in", "fulfilled")


def set_recall(appointment_id: str, due: date, *, note: str = "", caller: Caller, now: datetime) -> Task:
    """Create a recall for the patient of a visit from a day on, for the same service and practitioner.

    Staff only. Raises NotFound for a visit that the caller does not work with, Invalid for a day that is not to come,
    and RuleBroken if there is no patient or service, or a recall for it is open.
    """
    if due <= now.astimezone(clinic_zone()).date():
        raise Invalid(_("Choose a day that is still to come."))
    with transaction.atomic(durable=True):
        visit = _visit_of(caller, appointment_id)
        if visit.patient is None or visit.service is None:
            raise RuleBroken(_("Only a patient of a known visit can be seen again."))
        Patient.objects.select_for_update(no_key=True).get(pk=visit.patient.pk)
        if Task.objects.filter(Task.open(), patient=visit.patient, service=visit.service).exists():
            raise RuleBroken(_("The patient is to be seen again for this already. End that first."))
        practitioner = _practitioners_of([visit]).get(visit.pk)
        recall = _recall(visit, due, practitioner, now, note=note)
        recall.save(force_insert=True)
        audit("recall", visit, caller=caller, now=now)
    return recall


def end_recall(recall_id: str, *, caller: Caller, now: datetime) -> Task:
    """End a recall that is not needed any more. Staff only; a repeated call changes nothing."""
    with transaction.atomic(durable=True):
        recall = _locked(recall_id)
        _visit_of(caller, recall.appointment.fhir_id)
        if _close(recall, Status.CANCELLED, now):
            audit("recall ended", recall.appointment, caller=caller, now=now)
    return recall


def decline_recall(recall_id: str, *, now: datetime) -> Task:
    """Record, for anybody who has the link, that the patient declines. A repeated call changes nothing."""
    with transaction.atomic(durable=True):
        recall = _locked(recall_id)
        if _close(recall, Status.REJECTED, now):
            caller = Caller(visit=recall.appointment.fhir_id, visit_patient=recall.patient.reference)
            audit("recall declined", recall.appointment, caller=caller, now=now)
    return recall


def open_recalls(caller: Caller) -> QuerySet[Task]:
    """Return the open recalls of patients whose visits the caller works with, without those that were booked since."""
    rows = Task.objects.filter(Task.open(), appointment__in=access.staff_appointments(caller))
    return rows.exclude(Exists(_visits_since())).select_related("patient", "service", "practitioner", "appointment")


def tend(*, now: datetime) -> None:
    """Make the recalls of services' rules, end those that were booked, and tell the patients whose time has come."""
    aside = Parking(TENDING, Task, now=now)
    recalls = Task.objects.filter(Task.open()).exclude(pk__in=aside.waiting)
    _withdraw(recalls, aside, now)
    _make_by_rules(now)
    aside.process_together(recalls.filter(Exists(_visits_since())), lambda rows: _end_booked(rows, now))
    due = recalls.filter(next_message__lte=now).order_by("next_message", "pk")
    aside.process_each(due.only("pk")[:BATCH], lambda recall: _tell(recall.pk, now), writes=False)


def _tell(key: int, now: datetime) -> None:
    """Write the messages of one recall, and when the next ones are due. Another worker may have it."""
    with transaction.atomic(durable=True):
        rows = Task.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        recall = rows.filter(Task.open(), pk=key, next_message__lte=now).select_related("patient").first()
        if recall is None:
            return
        visit = Appointment.objects.select_related("patient", "service", "site").get(pk=recall.appointment_id)
        if visit.patient_id != recall.patient_id:
            visit = visit_of_patient(visit, recall.patient)
        told = not Patient.objects.filter(Patient.closed(), pk=recall.patient_id).exists() and notifications.recalled(
            recall, visit, now=now
        )
        recall.next_message = _next_reminder(recall, now) if told else None
        recall.messages += told
        recall.status = Status.IN_PROGRESS if recall.messages else recall.status
        _save(recall, now)


def _next_reminder(recall: Task, now: datetime) -> datetime | None:
    """Return when the patient is reminded after the next message; None if it is the last."""
    after = (timedelta(0), *settings.RECALL_REMINDERS)
    number = recall.messages
    return now + after[number + 1] - after[number] if number + 1 < len(after) else None


def _withdraw(recalls: QuerySet[Task], aside: Parking, now: datetime) -> None:
    """Withdraw the recalls by a rule of visits that have not taken place after all, before anybody was told."""
    by_rule = recalls.filter(by_rule=True, messages=0).exclude(appointment__status=Appointment.Status.FULFILLED)
    aside.process_each(by_rule[:BATCH], lambda recall: _close(recall, Status.CANCELLED, now))


def _make_by_rules(now: datetime) -> None:
    """Make the recalls for visits that have taken place at services with a rule."""
    services = list(HealthcareService.objects.filter(recall_months__isnull=False, deleted_at=None))
    if not services:
        return
    done = Appointment.objects.filter(
        status=Appointment.Status.FULFILLED,
        service__in=services,
        patient__isnull=False,
        start__gt=now - RULES_LOOK_BACK,
        deleted_at=None,
    )
    made = Task.objects.filter(appointment=OuterRef("pk"))
    waiting = Task.objects.filter(Task.open(), patient=OuterRef("patient"), service=OuterRef("service"))
    aside = Parking(TENDING, Appointment, now=now)
    rows = done.exclude(Exists(made)).exclude(Exists(waiting)).exclude(pk__in=aside.waiting)
    visits = list(rows.select_related("service", "patient").order_by("pk")[:BATCH])
    practitioners = _practitioners_of(visits)
    aside.process_each(visits, lambda visit: _make_by_rule(visit, practitioners.get(visit.pk), now))


def _make_by_rule(visit: Appointment, practitioner: Practitioner | None, now: datetime) -> None:
    assert visit.service is not None  # by the conditions of _make_by_rules
    assert visit.start is not None
    due = months_after(visit.start.astimezone(clinic_zone()).date(), visit.service.recall_months or 1)
    Task.objects.bulk_create([_recall(visit, due, practitioner, now, by_rule=True)], ignore_conflicts=True)


def _end_booked(recalls: QuerySet[Task], now: datetime) -> None:
    """End recalls whose patients have booked a visit of that kind since."""
    recalls.update(
        status=Status.COMPLETED,
        booked=Subquery(_visits_since().order_by("start", "pk").values("pk")[:1]),
        next_message=None,
        last_updated=now,
        version=F("version") + 1,
    )


def _visits_since() -> QuerySet[Appointment]:
    """Return the visits by which the recall of the outer query ends."""
    return Appointment.objects.filter(
        patient=OuterRef("patient"),
        service=OuterRef("service"),
        status__in=TAKEN,
        hold_expires_at=None,
        start__gt=OuterRef("authored"),
        deleted_at=None,
    )


def _recall(
    visit: Appointment,
    due: date,
    practitioner: Practitioner | None,
    now: datetime,
    *,
    note: str = "",
    by_rule: bool = False,
) -> Task:
    told = datetime.combine(due - settings.RECALL_NOTICE, TOLD_AT, clinic_zone())
    return Task(
        patient=visit.patient,
        service=visit.service,
        practitioner=practitioner,
        appointment=visit,
        due=due,
        note=note,
        by_rule=by_rule,
        authored=now,
        next_message=max(told, now),
        last_updated=now,
    )


def _practitioners_of(visits: Collection[Appointment]) -> dict[int, Practitioner]:
    """Return the first practitioner of each visit, by the visit's primary key. One query."""
    kind = "Practitioner/"
    names = {visit.pk: references_of(visit.participant, kind)[:1] for visit in visits}
    ids = [name.removeprefix(kind) for found in names.values() for name in found]
    rows = {row.reference: row for row in Practitioner.objects.filter(fhir_id__in=ids, active=True, deleted_at=None)}
    return {pk: rows[found[0]] for pk, found in names.items() if found and found[0] in rows}


def _visit_of(caller: Caller, appointment_id: str) -> Appointment:
    rows = access.staff_appointments(caller.worker).filter(fhir_id=appointment_id, deleted_at=None)
    visit = rows.select_related("patient", "service").first()
    if visit is None:
        raise NotFound
    return visit


def _locked(recall_id: str) -> Task:
    rows = Task.objects.select_for_update(no_key=True, of=("self",)).select_related("appointment", "patient")
    recall = rows.filter(fhir_id=recall_id, deleted_at=None).first()
    if recall is None:
        raise NotFound
    return recall


def _close(recall: Task, status: str, now: datetime) -> bool:
    """End a locked recall. False if it has ended already."""
    if not recall.is_open:
        return False
    recall.status, recall.next_message = status, None
    _save(recall, now)
    return True


def _save(recall: Task, now: datetime) -> None:
    recall.version += 1
    recall.last_updated = now
    recall.save(update_fields=["status", "messages", "next_message", "version", "last_updated"])


def months_after(day: date, months: int) -> date:
    """Return the same day of a later month, or its last day if it is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
