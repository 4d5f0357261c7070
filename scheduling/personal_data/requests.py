"""Use cases of the request of a patient to delete everything about them: ask, withdraw, and decline it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clinic.models import AuditEvent, Erasure, Patient
from scheduling import access
from scheduling.access import Caller
from scheduling.errors import NotFound, RuleBroken
from scheduling.personal_data.tables import DELETED, KEPT, Table

Status = Erasure.Status


@dataclass(frozen=True, slots=True)
class Report:
    """The numbers of rows that a deletion has deleted and kept, by table."""

    deleted: list[tuple[Table, int]]
    kept: list[tuple[Table, int]]


@transaction.atomic
def ask_erasure(patient_id: str, *, caller: Caller, now: datetime) -> Erasure:
    """Store the request, which the clinic then checks. Asking twice changes nothing. Raises NotFound, Forbidden."""
    patient = _locked_patient(patient_id)
    access.may_ask_erasure(caller, patient)
    waiting = _waiting(patient)
    if waiting is not None:
        return waiting
    asked = Erasure.objects.create(patient=patient, created=now, requested_by=caller.user)
    _audit("erasure asked", AuditEvent.Action.CREATE, patient, caller, now)
    return asked


@transaction.atomic
def withdraw_erasure(patient_id: str, *, caller: Caller, now: datetime) -> None:
    """Withdraw the request. Raises NotFound, Forbidden, and RuleBroken if none waits."""
    patient = _locked_patient(patient_id)
    access.may_ask_erasure(caller, patient)
    _decide(patient, Status.WITHDRAWN, "", caller, now)
    _audit("erasure withdrawn", AuditEvent.Action.UPDATE, patient, caller, now)


@transaction.atomic
def decline_erasure(patient_id: str, reason: str, *, caller: Caller, now: datetime) -> None:
    """Decline the request, with the reason that the patient reads. Raises NotFound, Forbidden, and RuleBroken if none
    waits.
    """
    access.may_erase(caller)
    patient = _locked_patient(patient_id)
    _decide(patient, Status.DECLINED, reason, caller, now)
    _audit("erasure declined", AuditEvent.Action.UPDATE, patient, caller, now)


def latest_request(patient: Patient) -> Erasure | None:
    """The patient's last request that was not withdrawn."""
    return Erasure.objects.filter(patient=patient).exclude(status=Status.WITHDRAWN).order_by("-pk").first()


def waiting_requests(caller: Caller) -> QuerySet[Erasure]:
    """The requests that wait, for those who delete everything about a patient."""
    rows = Erasure.objects.filter(status=Status.WAITING).select_related("patient")
    return rows if access.handles_personal_data(caller) else rows.none()


def reports(caller: Caller) -> QuerySet[Erasure]:
    """The reports of what was deleted, the latest first, for the same people."""
    rows = (
        Erasure.objects.filter(status=Status.DONE).select_related("patient", "decided_by").order_by("-decided", "-pk")
    )
    return rows if access.handles_personal_data(caller) else rows.none()


def report_of(done: Erasure) -> Report:
    """The report of a deletion in the order of the tables."""
    return Report(
        deleted=[(table, done.deleted[table.name]) for table in DELETED if table.name in done.deleted],
        kept=[(table, done.kept[table.name]) for table in KEPT if table.name in done.kept],
    )


def _locked_patient(patient_id: str) -> Patient:
    rows = Patient.objects.select_for_update(no_key=True, of=("self",)).filter(fhir_id=patient_id, deleted_at=None)
    patient: Patient | None = rows.first()
    if patient is None:
        raise NotFound(f"There is no Patient/{patient_id}.")
    return patient


def _waiting(patient: Patient) -> Erasure | None:
    return Erasure.objects.filter(patient=patient, status=Status.WAITING).first()


def _decide(patient: Patient, status: Erasure.Status, reason: str, caller: Caller, now: datetime) -> None:
    waiting = _waiting(patient)
    if waiting is None:
        raise RuleBroken(_("This request has been withdrawn or answered already."))
    waiting.status, waiting.reason, waiting.decided, waiting.decided_by = status, reason, now, caller.user
    waiting.save()


def _audit(use_case: str, action: AuditEvent.Action, patient: Patient, caller: Caller, now: datetime) -> None:
    access.audit_event(use_case, action, caller=caller, now=now, patient_id=patient.pk).save()
