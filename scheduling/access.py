"""Who may see and do what, for every door. What is not allowed here is not allowed.

Availability is computed over all rows, whoever asks: it is the operation that is authorised, never the rows.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from clinic.models import (
    Appointment,
    AuditEvent,
    Bookable,
    HealthcareService,
    Patient,
    Practitioner,
    Resource,
    Schedule,
    Slot,
    User,
)
from scheduling.errors import Forbidden, NotFound

M = TypeVar("M", bound=Model)

# SMART scopes, version 2: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
SCOPE = re.compile(r"system/(?P<type>\*|[A-Z][A-Za-z]+)\.(?P<may>c?r?u?d?s?)")

# What describes the clinic and names no patient: open to everyone who is signed in.
PUBLIC = frozenset(
    {
        "Organization",
        "Location",
        "Practitioner",
        "PractitionerRole",
        "Device",
        "HealthcareService",
        "Schedule",
        "Questionnaire",
    }
)


@dataclass(frozen=True)
class Caller:
    """Whoever asks: a person who is signed in, or software with the scopes of its token; nobody without either."""

    user: User | None = None
    client: str = ""
    scopes: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        """Whose idempotency keys these are."""
        return f"client:{self.client}" if self.client else f"user:{self.user.pk if self.user else ''}"

    @property
    def is_system(self) -> bool:
        return bool(self.client)

    @property
    def is_administrator(self) -> bool:
        return bool(self.user and self.user.is_superuser)

    @cached_property
    def patient(self) -> Patient | None:
        return Patient.objects.filter(user=self.user, deleted_at=None).first() if self.user else None

    @cached_property
    def practitioner(self) -> Practitioner | None:
        return Practitioner.objects.filter(user=self.user, deleted_at=None).first() if self.user else None

    @cached_property
    def desk_sites(self) -> frozenset[int]:
        """The sites whose front desk this person is."""
        return frozenset(self.user.desk_locations.values_list("pk", flat=True)) if self.user else frozenset()

    @property
    def is_staff(self) -> bool:
        return self.is_administrator or bool(self.practitioner or self.desk_sites)


def has_scope(caller: Caller, resource_type: str, interaction: str) -> bool:
    """Whether software was granted `interaction` (one of c r u d s) on a type of resource."""
    grants = (SCOPE.fullmatch(scope) for scope in caller.scopes)
    return any(grant and grant["type"] in ("*", resource_type) and interaction in grant["may"] for grant in grants)


def require(caller: Caller, resource_type: str, interaction: str) -> None:
    """Raise Forbidden unless the caller may do this to some resource of the type at all."""
    if caller.is_system:
        allowed = has_scope(caller, resource_type, interaction)
    elif interaction in "rs":
        allowed = caller.user is not None
    else:
        allowed = caller.is_administrator
    if not allowed:
        raise Forbidden(f"You may not {INTERACTIONS[interaction]} {resource_type} resources.")


INTERACTIONS = {"c": "create", "r": "read", "u": "update", "d": "delete", "s": "search"}


def visible(model: type[M], caller: Caller) -> QuerySet[M]:
    """The rows of a resource that the caller may see."""
    rows: QuerySet[M] = model._default_manager.all()
    if caller.is_system:
        return rows if has_scope(caller, model.RESOURCE_TYPE, "r") else rows.none()  # type: ignore[attr-defined]
    if caller.is_administrator:
        return rows
    if caller.user is None:
        return rows.none()
    if model is Appointment:
        return rows.filter(_own_appointments(caller))
    if model is Patient:
        return rows.filter(_own_patients(caller))
    if model is Slot:
        return rows.filter(_own_slots(caller))
    if model is AuditEvent:
        return rows.none()
    if model is Schedule:
        return rows.filter(_own_schedules(caller))
    if issubclass(model, Resource) and model.RESOURCE_TYPE in PUBLIC:
        return rows
    return rows.none()


def _own_schedules(caller: Caller) -> Q:
    """All but those that name a patient; the front desk's patients are everybody."""
    own = Q(bookable__patient=None)
    if caller.desk_sites:
        return Q()
    return own | Q(bookable__patient=caller.patient) if caller.patient else own


def _own_appointments(caller: Caller) -> Q:
    own = Q(held_by=caller.user, patient=None)  # a hold that has no patient yet is whose who made it
    if caller.patient:
        own |= Q(patient=caller.patient)
    if caller.practitioner:
        own |= Q(
            Exists(
                Slot.objects.filter(
                    appointment=OuterRef("pk"), bookable__practitioner=caller.practitioner, deleted_at=None
                )
            )
        )
    if caller.desk_sites:
        own |= Q(site__in=caller.desk_sites)
    return own


def _own_patients(caller: Caller) -> Q:
    own = Q(pk=caller.patient.pk) if caller.patient else Q(pk__in=[])
    if caller.desk_sites:
        return Q()  # the front desk finds any patient, or could not book for a new one
    if caller.practitioner:
        own |= Q(
            Exists(
                Appointment.objects.filter(patient=OuterRef("pk"), slots__bookable__practitioner=caller.practitioner)
            )
        )
    return own


def _own_slots(caller: Caller) -> Q:
    """Staff see their calendars; a patient sees the Slots of their own visits."""
    own = Q(appointment__patient=caller.patient) if caller.patient else Q(pk__in=[])
    if caller.practitioner:
        own |= Q(bookable__practitioner=caller.practitioner)
    if caller.desk_sites:
        own |= Q(schedule__site__in=caller.desk_sites)
    return own


def calendars(caller: Caller) -> QuerySet[Schedule]:
    """The schedules that the caller works by: their own, those at their front desk's sites, an administrator's all."""
    rows = Schedule.objects.filter(active=True, deleted_at=None)
    if caller.is_administrator:
        return rows
    own = Q(site__in=caller.desk_sites)
    if caller.practitioner:
        own |= Q(bookable__practitioner=caller.practitioner)
    return rows.filter(own)


def may_find(caller: Caller) -> None:
    """Free times name nobody: whoever is signed in may ask for them, and software that may search for them."""
    if caller.is_system and not (has_scope(caller, "Appointment", "s") or has_scope(caller, "Slot", "s")):
        raise Forbidden("The token has no scope to search for Appointments or Slots.")
    if not caller.is_system and caller.user is None:
        raise Forbidden("Sign in to search for times.")


def may_book(
    caller: Caller,
    service: HealthcareService,
    patients: Iterable[Patient],
    *,
    bookables: Collection[int],
    sites: Collection[int | None],
) -> None:
    """Whether the caller may take this time: `bookables` are whose it is, `sites` where.

    Software with the scope books for anyone, and so does an administrator; the front desk on the calendars of its
    sites, a practitioner on their own; a patient what is open to patients, for themselves.
    """
    if caller.is_system:
        if not has_scope(caller, "Appointment", "c"):
            raise Forbidden("The token has no scope to create Appointments.")
        return
    if caller.is_administrator or _works_by(caller, bookables, sites):
        return
    if caller.patient is None:
        raise Forbidden("You can book only on calendars that you work by." if caller.is_staff else NOT_A_PATIENT)
    if service.bookable_by != HealthcareService.BookableBy.PATIENTS:
        raise Forbidden(f"{service.name} is booked by the clinic. Please call us.")
    if any(patient.pk != caller.patient.pk for patient in patients):
        raise Forbidden("You can book only for yourself.")


NOT_A_PATIENT = "Only patients and staff can book."


def _works_by(caller: Caller, bookables: Collection[int], sites: Collection[int | None]) -> bool:
    if caller.desk_sites and caller.desk_sites.issuperset(sites):
        return True
    own = Bookable.objects.filter(practitioner=caller.practitioner, pk__in=bookables)
    return caller.practitioner is not None and own.exists()


def changeable_appointment(caller: Caller, fhir_id: str) -> Appointment:
    """The appointment with this id, if the caller may change it. One they cannot see does not exist for them."""
    appointment = visible(Appointment, caller).filter(fhir_id=fhir_id, deleted_at=None).first()
    if appointment is None:
        raise NotFound(f"There is no Appointment/{fhir_id}.")
    if caller.is_system and not has_scope(caller, "Appointment", "u"):
        raise Forbidden("The token has no scope to update Appointments.")
    return appointment


def sees_rules_lifted(caller: Caller) -> bool:
    """Whether the cut-offs that bind patients do not bind this caller."""
    return caller.is_system or caller.is_staff
