"""Use cases of a patient's coverage: enter, change, confirm and end it, its card's photos, and the clinic's check.

A coverage is declared, then verified or rejected by the clinic. What a patient changes on it has to be checked again.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.models import AuditEvent, CardPhoto, Coverage, Patient
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.errors import Forbidden, NotFound, RuleBroken, VersionConflict
from scheduling.interactions.audit import record_writes
from scheduling.interactions.card_images import card_image
from scheduling.versions import has_version

Verification = Coverage.Verification
UNCHECKED = {"verification": Verification.DECLARED, "verification_reason": "", "verified_at": None}


@transaction.atomic
def add_coverage(patient: Patient, card: Mapping[str, Any], *, caller: Caller, now: datetime) -> Coverage:
    """Return the patient's coverage with these columns. The same card entered again is the same row."""
    access.require_acts_for(caller, patient)
    known = {name: card[name] for name in ("subscriber_id", "payor", "end")}
    coverage, is_new = Coverage.objects.get_or_create(
        beneficiary=patient,
        **known,
        status=Coverage.Status.ACTIVE,
        deleted_at=None,
        defaults={**card, "confirmed_at": now, "last_updated": now},
    )
    if is_new:
        record_writes([(coverage, "created")], caller=caller, now=now)
    return coverage


@transaction.atomic
def change_coverage(
    coverage_id: str, card: Mapping[str, Any], *, caller: Caller, now: datetime, version: int | None = None
) -> Coverage:
    """Write what is on the card. If something is different, the clinic has to check it again."""
    coverage = _locked(coverage_id, caller, version)
    if "extra" in card:  # other elements stay as they are
        others = {name: value for name, value in coverage.extra.items() if name != "class"}
        card = {**card, "extra": {**others, **card["extra"]}}
    different = {name: value for name, value in card.items() if getattr(coverage, name) != value}
    unchecked = UNCHECKED if different and not access.may_verify_coverage(caller) else {}
    _write(coverage, {**different, **unchecked, "confirmed_at": now}, caller=caller, now=now)
    return coverage


@transaction.atomic
def confirm_coverage(coverage_id: str, *, caller: Caller, now: datetime) -> None:
    """Record that the patient has said that a coverage is still right."""
    _write(_locked(coverage_id, caller), {"confirmed_at": now}, caller=caller, now=now)


@transaction.atomic
def end_coverage(coverage_id: str, *, caller: Caller, now: datetime) -> None:
    """Cancel a coverage that the patient does not have any more."""
    _write(_locked(coverage_id, caller), {"status": Coverage.Status.CANCELLED}, caller=caller, now=now)


@transaction.atomic
def add_photo(coverage_id: str, side: str, data: bytes, *, caller: Caller, now: datetime) -> None:
    """Store the photo of one side of the card, in place of an earlier one. Raises RuleBroken.

    A rejected coverage with a new photo waits for the clinic's check again.
    """
    image = card_image(data)
    coverage = _locked(coverage_id, caller)
    CardPhoto.objects.update_or_create(coverage=coverage, side=side, defaults={"image": image, "taken": now})
    is_rejected = coverage.verification == Verification.REJECTED
    _write(coverage, {**(UNCHECKED if is_rejected else {}), "confirmed_at": now}, caller=caller, now=now)


@transaction.atomic
def remove_photo(coverage_id: str, side: str, *, caller: Caller, now: datetime) -> None:
    """Delete the photo of one side of the card."""
    coverage = _locked(coverage_id, caller)
    if CardPhoto.objects.filter(coverage=coverage, side=side).delete()[0]:
        _write(coverage, {}, caller=caller, now=now)


@transaction.atomic
def read_photo(coverage_id: str, side: str, *, caller: Caller, now: datetime) -> bytes:
    """Return the photo as a JPEG image, with a line in the audit log. Raises NotFound."""
    seen = access.visible(Coverage, caller).filter(deleted_at=None)
    photo = CardPhoto.objects.select_related("coverage").filter(coverage__in=seen, coverage__fhir_id=coverage_id)
    found: CardPhoto | None = photo.filter(side=side).first()
    if found is None:
        raise NotFound("There is no such photo.")
    coverage = found.coverage
    event = access.audit_event(
        "read",
        AuditEvent.Action.READ,
        caller=caller,
        now=now,
        patient_id=coverage.beneficiary_id,
        target=coverage.reference,
        query=f"photo of the card, {side}",
    )
    event.save()
    return bytes(found.image)


@transaction.atomic
def verify_coverage(coverage_id: str, *, caller: Caller, now: datetime, version: int | None = None) -> Coverage:
    """Record that the clinic has checked the coverage, and tell the patient."""
    return _check(coverage_id, Verification.VERIFIED, "", caller, now, version)


@transaction.atomic
def reject_coverage(
    coverage_id: str, reason: str, *, caller: Caller, now: datetime, version: int | None = None
) -> Coverage:
    """Record that the clinic cannot accept the coverage, and tell the patient why."""
    if not reason.strip():
        raise RuleBroken(_("Say why: the patient reads it."))
    return _check(coverage_id, Verification.REJECTED, reason.strip(), caller, now, version)


def _check(
    coverage_id: str, result: Verification, reason: str, caller: Caller, now: datetime, version: int | None
) -> Coverage:
    if not access.may_verify_coverage(caller):
        raise Forbidden(_("Only the front desk can check insurance."))
    coverage = _locked(coverage_id, caller, version)
    is_news = (coverage.verification, coverage.verification_reason) != (result, reason)
    checked = {"verification": result, "verification_reason": reason, "verified_at": now}
    _write(coverage, checked, caller=caller, now=now)
    if is_news:
        notifications.coverage_checked(coverage, now=now)
    return coverage


def _locked(coverage_id: str, caller: Caller, version: int | None = None) -> Coverage:
    """The coverage, locked until commit, if the caller may change it and it is at `version`."""
    rows = access.visible(Coverage, caller).filter(fhir_id=coverage_id, deleted_at=None)
    coverage: Coverage | None = rows.select_for_update(no_key=True, of=("self",)).select_related("beneficiary").first()
    if coverage is None:
        raise NotFound(f"There is no Coverage/{coverage_id}.")
    if not has_version(coverage, version):
        raise VersionConflict
    if not access.may_verify_coverage(caller):
        access.require_acts_for(caller, coverage.beneficiary)
    return coverage


def _write(coverage: Coverage, columns: Mapping[str, Any], *, caller: Caller, now: datetime) -> None:
    for name, value in columns.items():
        setattr(coverage, name, value)
    coverage.version += 1
    coverage.last_updated = now
    coverage.save()
    record_writes([(coverage, "updated")], caller=caller, now=now)
