"""Use cases of pages: change the details of a patient's record, confirm them, and decide about a requested change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from clinic.models import Appointment, DetailsChange, Patient
from clinic.models.people import birth_columns
from scheduling import access
from scheduling.access import Caller
from scheduling.errors import Forbidden, NotFound, RuleBroken, VersionConflict
from scheduling.interactions.audit import record_writes
from scheduling.new_patients import TOOK_PLACE
from scheduling.participants import of_patient
from scheduling.versions import has_version


@transaction.atomic
def change_details(
    patient_id: str, changes: Mapping[str, Any], *, caller: Caller, now: datetime, version: int | None = None
) -> Patient:
    """Write these columns of the patient's record as its next version. Nothing is written if they are as they were.

    Raises Forbidden, NotFound, and VersionConflict if the record is not at `version` any more.
    """
    patient = locked_patient(patient_id)
    access.may_change_details(caller, patient, changes.keys())
    if not has_version(patient, version):
        raise VersionConflict
    write_details(patient, changes, caller=caller, now=now)
    return patient


@transaction.atomic
def change_identity(
    patient_id: str, identity: Mapping[str, str], *, caller: Caller, now: datetime, version: int | None = None
) -> DetailsChange | None:
    """Change given, family and born (FHIR's birthDate), or return the change that waits for the clinic.

    It waits if the clinic has verified the identity and the caller is not the front desk. A later request takes the
    place of one that waits.
    """
    patient = locked_patient(patient_id)
    access.may_change_details(caller, patient, identity.keys())
    if not has_version(patient, version):
        raise VersionConflict
    if identity == identity_of(patient):
        return None
    if access.may_decide_details(caller) or not patient.identity_verified:
        _write_identity(patient, identity, caller=caller, now=now)
        return None
    change, _made = DetailsChange.objects.update_or_create(
        patient=patient,
        status=DetailsChange.Status.WAITING,
        defaults={"changes": dict(identity), "created": now, "requested_by": caller.user},
    )
    return change


@transaction.atomic
def decide_change(change_id: int, *, accept: bool, caller: Caller, now: datetime, reason: str = "") -> DetailsChange:
    """Accept the requested change, which is written, or decline it. Raises RuleBroken if it is decided."""
    if not access.may_decide_details(caller):
        raise Forbidden(_("Only the front desk decides about this."))
    rows = DetailsChange.objects.select_for_update(of=("self",)).select_related("patient")
    change: DetailsChange | None = rows.filter(pk=change_id).first()
    if change is None:
        raise NotFound("There is no such change.")
    status = DetailsChange.Status.ACCEPTED if accept else DetailsChange.Status.DECLINED
    if change.status != DetailsChange.Status.WAITING:
        raise RuleBroken(_("This has been decided already."))
    if accept:
        _write_identity(locked_patient(change.patient.fhir_id), change.changes, caller=caller, now=now)
    change.status, change.decided, change.decided_by, change.reason = status, now, caller.user, reason
    change.save()
    return change


@transaction.atomic
def change_record(
    patient_id: str,
    identity: Mapping[str, str],
    changes: Mapping[str, Any],
    *,
    caller: Caller,
    now: datetime,
    version: int,
) -> Patient:
    """Write the identity, as `change_identity` takes it, and these columns as one version: for those who decide about
    identities.

    Raises Forbidden, NotFound, and VersionConflict if the record is not at `version` any more.
    """
    if not access.may_decide_details(caller):
        raise Forbidden(_("Only the front desk decides about this."))
    patient = locked_patient(patient_id)
    access.may_change_details(caller, patient, changes.keys())
    if not has_version(patient, version):
        raise VersionConflict
    write_details(patient, {**_identity_columns(patient, identity), **changes}, caller=caller, now=now)
    return patient


def confirm_details(patient_id: str, *, caller: Caller, now: datetime) -> Patient:
    """Record that the patient's details are still right."""
    return change_details(patient_id, {"details_confirmed": now}, caller=caller, now=now)


def are_details_due(patient: Patient, *, now: datetime) -> bool:
    """True if the patient is to be asked whether their details are still right: known for longer than
    DETAILS_CONFIRMED_FOR, and neither asked nor here since. One query at most.
    """
    since = now - settings.DETAILS_CONFIRMED_FOR
    if patient.details_confirmed is not None and patient.details_confirmed > since:
        return False
    visits = Appointment.objects.filter(of_patient(patient.pk), status__in=TOOK_PLACE, deleted_at=None)
    last = visits.order_by("-start").values_list("start", flat=True).first()
    return last is not None and last <= since


def identity_of(patient: Patient) -> dict[str, str]:
    """The patient's name and FHIR birthDate, as `change_identity` takes them."""
    return {"given": patient.given, "family": patient.family, "born": patient.born}


def _write_identity(patient: Patient, identity: Mapping[str, str], *, caller: Caller, now: datetime) -> None:
    write_details(patient, _identity_columns(patient, identity), caller=caller, now=now)


def _identity_columns(patient: Patient, identity: Mapping[str, str]) -> dict[str, Any]:
    born = birth_columns(identity["born"])
    others = {name: value for name, value in patient.extra.items() if name != "birthDate"}
    return {"given": identity["given"], "family": identity["family"], **born, "extra": others | born["extra"]}


def locked_patient(patient_id: str) -> Patient:
    """The patient's record, locked until commit. Raises NotFound."""
    rows = Patient.objects.select_for_update(no_key=True, of=("self",)).filter(fhir_id=patient_id, deleted_at=None)
    patient: Patient | None = rows.first()
    if patient is None:
        raise NotFound(f"There is no Patient/{patient_id}.")
    return patient


def write_details(patient: Patient, changes: Mapping[str, Any], *, caller: Caller, now: datetime) -> None:
    """Write these columns of a locked record with its audit line."""
    different = {column: value for column, value in changes.items() if getattr(patient, column) != value}
    if not different:
        return
    for column, value in different.items():
        setattr(patient, column, value)
    patient.version += 1
    patient.last_updated = now
    patient.save()
    record_writes([(patient, "updated")], caller=caller, now=now)
