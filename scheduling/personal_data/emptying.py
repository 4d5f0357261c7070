"""Removal of a person from rows that are kept: what the row and its past versions say about the person."""

import json
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from functools import partial, reduce
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet

from clinic.models import (
    RESOURCE_MODELS,
    Appointment,
    AuditEvent,
    Communication,
    DeskPayment,
    Encounter,
    PastVersion,
    Patient,
    Payment,
    PaymentOrder,
    RelatedPerson,
    Resource,
    Schedule,
    Slot,
)
from scheduling import access
from scheduling.participants import actor_of
from scheduling.personal_data.person import Person

Json = dict[str, Any]

BATCH = 500
IDENTITY = frozenset({"id", "fhir_id", "version", "last_updated", "deleted_at", "patient_id"})
EMPTY = {"extra": {}, "identifier": [], "comment": ""}
CODES = ("system", "version", "code")


def empty_people(people: Iterable[Patient | RelatedPerson], *, now: datetime) -> None:
    """Write each person as a deleted one without any data: every column but those of IDENTITY gets its default."""
    for person in people:
        for column in type(person)._meta.concrete_fields:
            if column.attname not in IDENTITY:
                setattr(person, column.attname, column.get_default())
        person.active = False
        person.version += 1
        person.last_updated = person.deleted_at = now
        person.save()
        forget_versions(type(person), [person.pk])


def empty_visits(visits: Iterable[Appointment], references: Collection[str], *, now: datetime) -> None:
    """Remove the patient's details, and what was typed, from visits. The patient stays as a reference to the deleted
    record.
    """
    rows = list(visits)
    for visit in rows:
        for name, value in visit_without(_columns(visit), references).items():
            setattr(visit, name, value)
        visit.referral = None
    _save(Appointment, rows, (*EMPTY, "participant", "cancelation_reason", "referral"), now)
    _empty_versions(Appointment, [visit.pk for visit in rows], lambda row: visit_without(row, references))
    slots = Slot.objects.filter(appointment__in=rows)
    told = slots.exclude(comment="", extra={}, identifier=[])
    told.update(**EMPTY, version=F("version") + 1, last_updated=now)
    _empty_versions(Slot, slots.values_list("pk", flat=True), lambda _row: EMPTY)


def visit_without(row: Json, references: Collection[str]) -> Json:
    """Return the columns of a visit without what says something about the person. Codes of the reason stay, texts do
    not.
    """
    reason = row.get("cancelation_reason") or {}
    codings = [{name: coding[name] for name in CODES if name in coding} for coding in reason.get("coding", ())]
    return {
        **EMPTY,
        "participant": [
            _unnamed(each) if actor_of(each) in references else each for each in row.get("participant") or ()
        ],
        "cancelation_reason": {"coding": codings} if codings else None,
    }


def _unnamed(element: Json) -> Json:
    """Return a participant without a name: only the reference, whether they were required, and whether they came."""
    kept: Json = {name: element[name] for name in ("required", "status") if name in element}
    return {"actor": {"reference": actor_of(element)}, **kept}


def _columns(visit: Appointment) -> Json:
    return {name: getattr(visit, name) for name in ("participant", "cancelation_reason")}


def empty_encounters(encounters: Iterable[Encounter], *, now: datetime) -> None:
    """Keep when an encounter was and who of the clinic was there."""
    rows = list(encounters)
    for encounter in rows:
        encounter.extra, encounter.identifier = {}, []
    _save(Encounter, rows, ("extra", "identifier"), now)
    forget_versions(Encounter, [row.pk for row in rows])


def empty_messages(messages: Iterable[Communication], *, now: datetime) -> None:
    """Keep the kind and time of messages. Their texts, addresses and the provider's answers go."""
    rows = list(messages)
    for message in rows:
        message.extra, message.before = {}, None
        message.address = message.subject = message.body = message.status_reason = message.provider_id = ""
        message.language, message.staff_message = "", None
    columns = (
        "extra",
        "before",
        "language",
        "address",
        "subject",
        "body",
        "status_reason",
        "provider_id",
        "staff_message",
    )
    _save(Communication, rows, columns, now)
    forget_versions(Communication, [row.pk for row in rows])


def empty_payments(keys: Collection[int]) -> None:
    """Keep amounts, dates and the payment service's number of each payment. A card that is still to be forgotten there
    keeps its number until that is done.
    """
    payments = Payment.objects.filter(patient__in=keys)
    payments.update(session="", url="", customer="", reason="")
    waiting = PaymentOrder.objects.filter(payment__in=payments, status=PaymentOrder.Status.WAITING)
    payments.exclude(pk__in=waiting.values("payment")).update(card="")
    PaymentOrder.objects.filter(payment__in=payments).update(reason="", error="")
    at_desk = DeskPayment.objects.filter(patient__in=keys)
    at_desk.filter(corrects=None).update(reason="")
    at_desk.exclude(corrects=None).update(reason="-")  # a counter entry has a reason


def empty_calendar(schedules: Iterable[Schedule], *, now: datetime) -> None:
    """Delete the calendar of a patient as a resource: its row stays, since Slots of past visits refer to it."""
    rows = list(schedules)
    for schedule in rows:
        schedule.extra, schedule.identifier, schedule.comment = {}, [], ""
        schedule.active, schedule.deleted_at = False, schedule.deleted_at or now
    _save(Schedule, rows, ("extra", "identifier", "comment", "active", "deleted_at"), now)
    forget_versions(Schedule, [row.pk for row in rows])


def empty_audit(lines: QuerySet[AuditEvent], person: Person) -> None:
    """Keep who did what and when. What was typed goes: reasons, and queries with values, in every line of their answer.

    What the person did is by their pseudonym from now on.
    """
    if person.own_account is not None:
        AuditEvent.objects.filter(user=person.own_account, client="").update(client=person.patient.reference)
    searched = lines.filter(query__contains="=").values("recorded", "query")
    of_answers = Q(recorded__in=searched.values("recorded"), query__in=searched.values("query"))
    AuditEvent.objects.filter(of_answers).update(query="")
    lines.exclude(reason="", extra={}).update(reason="", extra={})


def remove_names(person: Person, *, now: datetime) -> None:
    """Leave only the references of a person and of their carers where resources about others name them."""
    references = person.references
    own_visits = {visit.pk for visit in person.visits}
    for model in RESOURCE_MODELS:
        for column, inner in model.REFERENCE_LISTS:
            found = reduce(or_, (Q(**{f"{column}__contains": [_item(inner, each)]}) for each in sorted(references)))
            others = ~Q(pk__in=own_visits) if model is Appointment else Q()
            _change(model, found & others, partial(_list_without_names, column, inner, references), now)
        for place in access.REFERENCES.get(model.RESOURCE_TYPE, ()):
            column, _, inner = place.partition("__")
            about = Q(**{f"{access.PATIENT[model.RESOURCE_TYPE]}__in": person.cared_for})
            found = reduce(or_, (Q(**{f"{place}__contains": {"reference": each}}) for each in sorted(references)))
            _change(model, about & found, partial(_element_without_name, column, inner, references), now)


def _item(inner: str, reference: str) -> Json:
    return {inner: {"reference": reference}} if inner else {"reference": reference}


def _list_without_names(column: str, inner: str, references: Collection[str], row: Json) -> Json:
    items = row.get(column) or []
    if not inner:
        return {column: [_without_name(each, references) for each in items]}
    return {column: [_with_element(each, inner, references) for each in items]}


def _element_without_name(column: str, inner: str, references: Collection[str], row: Json) -> Json:
    value = row.get(column)
    return {column: _with_element(value or {}, inner, references) if inner else _without_name(value, references)}


def _with_element(value: Json, inner: str, references: Collection[str]) -> Json:
    """The value with its inner reference, if it has one, without a name."""
    return {**value, inner: _without_name(value[inner], references)} if inner in value else value


def _without_name(element: Any, references: Collection[str]) -> Any:
    reference = element.get("reference") if isinstance(element, dict) else None
    return {"reference": reference} if reference in references else element


def _change(model: type[Resource], found: Q, change: Callable[[Json], Json], now: datetime) -> None:
    """Change the rows that are found, and their past versions in the same way."""
    rows = list(model._default_manager.filter(found).order_by("pk"))
    columns: set[str] = set()
    for row in rows:
        for name, value in change(vars(row)).items():
            setattr(row, name, value)
            columns.add(name)
    _save(model, rows, sorted(columns), now)
    _empty_versions(model, [row.pk for row in rows], change)


def forget_versions(model: type[Resource], keys: Collection[int]) -> None:
    """Delete the past versions of these rows."""
    PastVersion.objects.filter(resource_type=model.RESOURCE_TYPE, row_id__in=list(keys)).delete()


def _empty_versions(model: type[Resource], keys: Iterable[int], change: Callable[[Json], Json]) -> None:
    """Change the past versions of these rows like the rows. The reports read when a visit was cancelled."""
    found = PastVersion.objects.filter(resource_type=model.RESOURCE_TYPE, row_id__in=list(keys))
    changes = [(json.dumps(change(row)), key) for key, row in found.values_list("pk", "row")]
    if changes:
        table = PastVersion._meta.db_table
        with connection.cursor() as cursor:
            cursor.executemany(f'UPDATE {table} SET "row" = "row" || %s::jsonb WHERE id = %s', changes)


def _save(model: type[Resource], rows: list[Any], columns: Iterable[str], now: datetime) -> None:
    for row in rows:
        row.version += 1
        row.last_updated = now
    if rows:
        model._default_manager.bulk_update(rows, [*columns, "version", "last_updated"], batch_size=BATCH)
