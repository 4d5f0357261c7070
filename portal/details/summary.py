"""A patient's details as the patient, carers and pages that ask for a confirmation show them."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Prefetch

from clinic import addresses
from clinic.models import CardPhoto, Coverage, DetailsChange, Location, Patient, RelatedPerson
from clinic.patient_text import needs_of
from portal.details.forms import current_address
from scheduling import access
from scheduling.access import Caller
from scheduling.interactions.details import are_details_due


@dataclass(frozen=True, kw_only=True)
class Details:
    """The sections of a patient's details. `waiting` is a change of the name or birth date that the clinic decides."""

    patient: Patient
    address: list[str]
    coverages: list[Coverage]
    needs: list[str]
    carers: list[RelatedPerson]
    children: list[Patient]
    waiting: DetailsChange | None
    is_own: bool
    may_confirm_number: bool
    may_change: bool
    is_due: bool


def read(patient: Patient, caller: Caller, *, now: datetime) -> Details:
    """Return the details of a patient whom the caller acts for. A constant number of queries."""
    coverages = access.visible(Coverage, caller).filter(
        beneficiary=patient, status=Coverage.Status.ACTIVE, deleted_at=None
    )
    photos = Prefetch("photos", CardPhoto.objects.defer("image"))
    carers = access.visible(RelatedPerson, caller).filter(patient=patient, active=True, deleted_at=None)
    is_own = caller.patient is not None and caller.patient.pk == patient.pk
    return Details(
        patient=patient,
        address=address_lines(patient),
        coverages=list(coverages.prefetch_related(photos).order_by("-pk")),
        needs=needs_of(patient),
        carers=list(carers.order_by("pk")),
        children=[each for each in caller.confided_patients if each.pk != patient.pk] if is_own else [],
        waiting=patient.details_changes.filter(status=DetailsChange.Status.WAITING).first(),
        is_own=is_own,
        may_confirm_number=is_own and settings.SMS_ENABLED,
        may_change=patient.user_id is None or is_own,
        is_due=are_details_due(patient, now=now),
    )


def address_lines(patient: Patient) -> list[str]:
    """Return the lines of the patient's address, as its country writes them."""
    address = current_address(patient)
    if not address:
        return []
    parts = {"city": "city", "state": "state", "postal_code": "postalCode", "country": "country"}
    place = Location(
        line=", ".join(address.get("line", ())), **{column: address.get(name, "") for column, name in parts.items()}
    )
    return addresses.lines(place)
