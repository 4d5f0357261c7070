"""Use case: delete everything about one patient. What must stay is kept without the person, and a report says so.

The patient's record stays as an empty deleted row, whose random id is the pseudonym in what is kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.fields import BooleanField
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.models import (
    Appointment,
    AuditEvent,
    Erasure,
    FhirExport,
    IdempotencyKey,
    ImportedRow,
    ImportFile,
    Launch,
    ParkedRow,
    PastVersion,
    Patient,
    Payment,
    PaymentOrder,
    RelatedPerson,
    Resource,
    User,
)
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.errors import Issue, NotFound, RuleBroken
from scheduling.participants import attending
from scheduling.personal_data import emptying
from scheduling.personal_data.person import Person
from scheduling.personal_data.tables import DELETED, KEPT, Table

TO_COME = ("pending", "booked", "arrived", "checked-in")
UNDER_WAY = (Payment.Status.CREATED, Payment.Status.PAYING, Payment.Status.AUTHORISED)
# Rows that stay and are emptied, although their data is deleted, or that are deleted in a way of their own.
APART = (Patient, RelatedPerson, User, Launch)


# The primary keys of the rows of each table, by its name.
Keys = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Erasable:
    """Effect of deleting a person: the numbers of rows by table, and what keeps it from being done.

    `alone` are the patients for whom nobody else would act. `waits` is the number of entries of the waiting list that
    would end.
    """

    deleted: list[tuple[Table, int]]
    kept: list[tuple[Table, int]]
    obstacles: list[str]
    alone: list[Patient]
    waits: int


def preview(patient: Patient, *, now: datetime) -> Erasable:
    """Return what `erase` would do for this patient. The number of statements does not depend on the rows."""
    person = Person(patient)
    return Erasable(
        deleted=_counts(DELETED, person),
        kept=_counts(KEPT, person),
        obstacles=[issue.text for issue in _obstacles(person, now)],
        alone=_left_alone(person),
        waits=len(_waits(person)),
    )


def erase(patient_id: str, *, caller: Caller, now: datetime) -> Erasure:
    """Delete everything about the patient in one transaction, and return the report.

    Raises Forbidden, NotFound, RuleBroken with every obstacle, and ScheduleBusy.
    """
    access.may_erase(caller)
    with booking.all_or_nothing():
        person = _locked(patient_id)
        if issues := list(_obstacles(person, now)):
            raise RuleBroken(issues=issues)
        deleted, kept = _by_name(_counts(DELETED, person)), _by_name(_counts(KEPT, person))
        for entry in _waits(person):
            booking.end_entry(entry, caller=caller, now=now)
        _erase(Person(person.patient), now)
        return _report(person.patient, deleted, kept, caller, now)


def _locked(patient_id: str) -> Person:
    """The person with their visits and then their records locked, against new rows that refer to them too."""
    patient = Patient.objects.filter(fhir_id=patient_id, deleted_at=None).first()
    locked = booking.lock_records(Person(patient).records) if patient is not None else {}
    if patient is None or patient.pk not in locked:
        raise NotFound(f"There is no Patient/{patient_id}.")
    list(Patient.objects.filter(pk__in=locked).select_for_update().order_by("pk").values_list("pk"))
    return Person(locked[patient.pk])


def _obstacles(person: Person, now: datetime) -> Iterator[Issue]:
    if person.patient.merged_into:
        yield _obstacle(_("This record was merged into another one. Delete that one: this one is deleted with it."))
    if count := sum(_is_to_come(visit, person, now) for visit in person.visits):
        text = ngettext(
            "There is %(count)s upcoming visit or request. Cancel it first.",
            "There are %(count)s upcoming visits or requests. Cancel them first.",
            count,
        )
        yield _obstacle(text % {"count": count})
    payments = Payment.objects.filter(patient__in=person.keys)
    unfinished = PaymentOrder.objects.filter(
        payment__in=payments, status__in=(PaymentOrder.Status.WAITING, PaymentOrder.Status.FAILED)
    ).exclude(kind=PaymentOrder.Kind.FORGET, status=PaymentOrder.Status.WAITING)
    if payments.filter(status__in=UNDER_WAY).exists() or unfinished.exists():
        yield _obstacle(_("A payment or refund is not finished. Wait for it, or settle it on the page of its visit."))
    if _files(person).filter(status__in=(ImportFile.Status.CHECKING, ImportFile.Status.WRITING)).exists():
        yield _obstacle(_("A list with this patient is being imported. Wait until that is done."))
    if FhirExport.objects.filter(status=FhirExport.Status.WAITING).exists():
        yield _obstacle(_("A file of everything is being made. Wait until that is done."))


def _obstacle(text: str) -> Issue:
    return Issue("business-rule", text, "Patient")


def _is_to_come(visit: Appointment, person: Person, now: datetime) -> bool:
    """True if the person still comes to the visit, or asks or holds its time."""
    if visit.deleted_at is not None or visit.status not in TO_COME or visit.end is None or visit.end <= now:
        return False
    is_over = visit.hold_expires_at is not None and visit.hold_expires_at <= now
    return not is_over and not person.references.isdisjoint(attending(visit.participant))


def _waits(person: Person) -> list[Appointment]:
    return [visit for visit in person.visits if visit.is_waiting and visit.deleted_at is None]


def _left_alone(person: Person) -> list[Patient]:
    """The patients without an account for whom nobody else has an account. One statement."""
    others = RelatedPerson.objects.filter(active=True, deleted_at=None, user__isnull=False).exclude(
        user=person.own_account
    )
    cared_for = Patient.objects.filter(pk__in=person.cared_for, user=None, deleted_at=None)
    return list(cared_for.exclude(pk__in=others.values("patient")).order_by("family", "given", "pk"))


def _counts(tables: tuple[Table, ...], person: Person) -> list[tuple[Table, int]]:
    counted = ((table, table.rows(person).count()) for table in tables)
    return [(table, count) for table, count in counted if count]


def _erase(person: Person, now: datetime) -> None:
    keys = {table.name: list(table.rows(person).values_list("pk", flat=True)) for table in (*DELETED, *KEPT)}
    _forget_cards(person, now)
    _forget_copies(person, keys)
    _empty(person, keys, now)
    _delete(person, keys, now)
    emptying.remove_names(person, now=now)


def _forget_cards(person: Person, now: datetime) -> None:
    """Order the payment service to forget the cards that are kept for a fee."""
    kept = Payment.objects.filter(
        patient__in=person.keys, status__in=(Payment.Status.KEPT, Payment.Status.CHARGED)
    ).exclude(card="")
    for payment in kept.exclude(orders__kind=PaymentOrder.Kind.FORGET).select_for_update(no_key=True).order_by("pk"):
        booking.forget_card(payment, now)


def _forget_copies(person: Person, keys: Keys) -> None:
    """Delete what repeats the person's data elsewhere: stored answers, lists that were sent, logs and failures."""
    for table in (*DELETED, *KEPT):
        texts = [str(key) for key in keys[table.name]]
        logged = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(table.model))
        logged.filter(object_id__in=texts).update(object_repr="", change_message="")
        ParkedRow.objects.filter(kind=table.model.__name__, key__in=texts).delete()
    _stored_answers(person).delete()
    _files(person).delete()
    _imported(person).delete()
    FhirExport.objects.all().delete()  # files of everything, which are kept for a day


def _stored_answers(person: Person) -> QuerySet[IdempotencyKey]:
    """The answers to requests of the person, and those that name their records or visits."""
    references = [row.reference for row in (*person.records, *person.visits)]
    names_them = RawSQL("answer::text LIKE ANY(%s)", [[f"%{each}%" for each in references]], BooleanField())
    condition = Q(names_them)
    if person.own_account is not None:
        condition |= Q(owner=Caller(user=person.own_account).owner)
        condition |= Q(owner__startswith="app:", owner__endswith=f":{person.own_account.pk}")
    return IdempotencyKey.objects.filter(condition)


def _imported(person: Person) -> QuerySet[ImportedRow]:
    ids = [row.fhir_id for row in (*person.records, *person.visits)]
    return ImportedRow.objects.filter(fhir_id__in=ids, kind__in=("patients", "appointments"))


def _files(person: Person) -> QuerySet[ImportFile]:
    """The lists from which the person's rows were imported."""
    return ImportFile.objects.filter(pk__in=_imported(person).values("file"))


def _empty(person: Person, keys: Keys, now: datetime) -> None:
    """Remove the person from what is kept."""
    kept: dict[str, QuerySet[Any]] = {
        table.name: table.model._default_manager.filter(pk__in=keys[table.name]) for table in KEPT
    }
    emptying.empty_visits(person.visits, person.references, now=now)
    emptying.empty_encounters(kept["encounters"], now=now)
    emptying.empty_messages(kept["sent"], now=now)
    emptying.empty_payments(person.keys)
    emptying.empty_calendar(kept["calendar"], now=now)
    emptying.empty_audit(kept["audit"], person)
    Erasure.objects.filter(patient__in=person.keys).update(reason="")


def _delete(person: Person, keys: Keys, now: datetime) -> None:
    """Delete what is about the person alone, then the person."""
    for launch in Launch.objects.filter(pk__in=keys["apps"]).select_related("access_token"):
        launch.revoke()
    Appointment.objects.filter(referral__in=keys["referrals"]).update(referral=None)
    for table in DELETED:
        if table.model in APART:
            continue
        table.model._default_manager.filter(pk__in=keys[table.name]).delete()
        if issubclass(table.model, Resource):
            emptying.forget_versions(table.model, keys[table.name])
    visits = [visit.pk for visit in person.visits]
    past = PastVersion.objects.filter(patient_id__in=person.keys)
    past.exclude(resource_type=Appointment.RESOURCE_TYPE, row_id__in=visits).delete()
    emptying.empty_people([*person.carers, *person.caring, *person.records], now=now)
    if person.own_account is not None:
        sessions = UserSession.objects.filter(user=person.own_account).values("session_key")
        Session.objects.filter(session_key__in=sessions).delete()
        person.own_account.delete()


def _report(patient: Patient, deleted: dict[str, int], kept: dict[str, int], caller: Caller, now: datetime) -> Erasure:
    """Store what was done, as the answer to the request that waits if there is one, and write the audit line."""
    done = Erasure.objects.filter(patient=patient, status=Erasure.Status.WAITING).first()
    done = done or Erasure(patient=patient, created=now)
    done.status, done.decided, done.decided_by = Erasure.Status.DONE, now, caller.user
    done.deleted, done.kept = deleted, kept
    done.save()
    AuditEvent.objects.bulk_create(
        [
            access.audit_event(
                "erase",
                AuditEvent.Action.DELETE,
                caller=caller,
                now=now,
                patient_id=patient.pk,
                target=patient.reference,
            )
        ]
    )
    return done


def _by_name(counts: list[tuple[Table, int]]) -> dict[str, int]:
    return {table.name: count for table, count in counts}
