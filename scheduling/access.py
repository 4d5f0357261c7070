"""Who may see and do what, for every door. What is not allowed here is not allowed.

Availability is computed over all rows, whoever asks: it is the operation that is authorised, never the rows.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from clinic.models import (
    Appointment,
    AuditEvent,
    Bookable,
    CareTeam,
    Communication,
    Coverage,
    Encounter,
    Event,
    HealthcareService,
    Patient,
    Practitioner,
    QuestionnaireResponse,
    RelatedPerson,
    Resource,
    Schedule,
    Slot,
    User,
)
from scheduling.errors import Forbidden, NotFound

M = TypeVar("M", bound=Model)

# SMART scopes, version 2: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
SCOPE = re.compile(r"system/(?P<type>\*|[A-Z][A-Za-z]+)\.(?P<may>c?r?u?d?s?)")

# A hold, and one that has ended.
HELD = (Appointment.Status.PENDING, Appointment.Status.CANCELLED)

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
    """Whoever asks: a person who is signed in, or software with the scopes of its token; nobody without either.

    `guest` is a secret that a browser keeps, by which it is known again for what it held. It stays with someone who
    signs in, for what is still held. `visit` is the id of the one Appointment that a manage link, checked by the door,
    stands for.
    """

    user: User | None = None
    client: str = ""
    scopes: tuple[str, ...] = ()
    guest: str = ""
    visit: str = ""

    @property
    def owner(self) -> str:
        """Whose idempotency keys these are."""
        if self.client:
            return f"client:{self.client}"
        return f"guest:{self.guest_digest}" if self.user is None and self.guest else f"user:{self._user_pk}"

    @property
    def _user_pk(self) -> int | str:
        return self.user.pk if self.user else ""

    @cached_property
    def guest_digest(self) -> str:
        """What is written of the secret, so that who reads the database cannot act as the guest."""
        return hashlib.sha256(self.guest.encode()).hexdigest() if self.guest else ""

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
    def patients(self) -> dict[int, Patient]:
        """Whom the caller may see and book for, by primary key: themselves first, then those they care for."""
        own = {self.patient.pk: self.patient} if self.patient else {}
        if self.user is None:
            return own
        carer = RelatedPerson.objects.filter(user=self.user, active=True, deleted_at=None)
        cared = Patient.objects.filter(Exists(carer.filter(patient=OuterRef("pk"))), deleted_at=None)
        return own | {each.pk: each for each in cared}

    @cached_property
    def practitioner(self) -> Practitioner | None:
        return Practitioner.objects.filter(user=self.user, deleted_at=None).first() if self.user else None

    @cached_property
    def desk_sites(self) -> frozenset[int]:
        """The sites whose front desk this person is."""
        return frozenset(self.user.desk_locations.values_list("pk", flat=True)) if self.user else frozenset()

    @cached_property
    def own_calendars(self) -> frozenset[int]:
        """The schedules that this person works by."""
        return frozenset(calendars(self).values_list("pk", flat=True)) if self.is_staff else frozenset()

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
    """The rows of a resource that the caller may see. Proof of an address is for nobody but its guest."""
    rows: QuerySet[M] = model._default_manager.all()
    if model is Communication:
        rows = rows.exclude(event=Event.PROOF)
    if caller.is_system:
        return rows if has_scope(caller, model.RESOURCE_TYPE, "r") else rows.none()  # type: ignore[attr-defined]
    if caller.is_administrator:
        return rows
    if model is Appointment:
        return rows.filter(_own_appointments(caller))
    if caller.user is None:
        return rows.none()
    if model in OWN:
        return rows.filter(OWN[model](caller))
    if issubclass(model, Resource) and model.RESOURCE_TYPE in PUBLIC:
        return rows
    return rows.none()


def at_work(caller: Caller) -> QuerySet[Appointment]:
    """The visits that a person works with, which are an administrator's all. Those of their own are not among them.

    Whoever works at the clinic can be a patient of it too, and is then bound as every patient is.
    """
    rows = Appointment.objects.all()
    return rows if caller.is_administrator else rows.filter(_work(caller))


def as_shown(row: M, caller: Caller) -> M:
    """The row without what only some of those who may see it may know: into a video room lets the visit's page."""
    if isinstance(row, Schedule) and not (caller.is_system or row.pk in caller.own_calendars):
        row.meeting_url = ""
    return row


def _own_schedules(caller: Caller) -> Q:
    """All but those that name a patient; the front desk's patients are everybody."""
    own = Q(bookable__patient=None)
    if caller.desk_sites:
        return Q()
    return own | Q(bookable__patient__in=caller.patients)


def _own_appointments(caller: Caller) -> Q:
    own = Q(held_by_guest=caller.guest_digest) if caller.guest else Q(pk__in=[])
    if caller.visit:
        own |= Q(fhir_id=caller.visit)
    if caller.user is None:
        return own
    own &= Q(status__in=HELD)  # what was booked here before may be another's who used this browser
    own |= Q(held_by=caller.user, patient=None)  # a hold that has no patient yet is whose who made it
    if caller.patients:
        own |= Q(patient__in=caller.patients)
    return own | _work(caller)


def _work(caller: Caller) -> Q:
    work = Q(site__in=caller.desk_sites)
    if caller.practitioner:
        work |= Q(
            Exists(
                Slot.objects.filter(
                    appointment=OuterRef("pk"), bookable__practitioner=caller.practitioner, deleted_at=None
                )
            )
        )
    return work


def _own_patients(caller: Caller) -> Q:
    own = Q(pk__in=caller.patients)
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
    own = Q(appointment__patient__in=caller.patients)
    if caller.practitioner:
        own |= Q(bookable__practitioner=caller.practitioner)
    if caller.desk_sites:
        own |= Q(schedule__site__in=caller.desk_sites)
    return own


def _of_own_patients(name: str) -> Callable[[Caller], Q]:
    """Rows of the patients that the caller may see; `name` is the column that says whose they are."""
    return lambda caller: Q(**{f"{name}__in": Patient.objects.filter(_own_patients(caller), deleted_at=None)})


def _of_own_visits(caller: Caller) -> Q:
    """Rows of visits: for the patient, and for who works with that visit, whoever else sees the same patient."""
    own = Q(patient__in=caller.patients)
    return own | Q(appointment__in=Appointment.objects.filter(_work(caller))) if caller.is_staff else own


def _none(caller: Caller) -> Q:
    return Q(pk__in=[])


# Whose rows somebody who is signed in may see.
OWN: dict[type[Model], Callable[[Caller], Q]] = {
    Patient: _own_patients,
    Slot: _own_slots,
    Schedule: _own_schedules,
    RelatedPerson: _of_own_patients("patient"),
    Coverage: _of_own_patients("beneficiary"),
    CareTeam: _of_own_patients("patient"),
    QuestionnaireResponse: _of_own_visits,
    Encounter: _of_own_visits,
    Communication: _of_own_visits,
    AuditEvent: _none,
}


def calendars(caller: Caller) -> QuerySet[Schedule]:
    """The schedules that the caller works by: their own, those at their front desk's sites, an administrator's all."""
    rows = Schedule.objects.filter(active=True, deleted_at=None)
    if caller.is_administrator:
        return rows
    own = Q(site__in=caller.desk_sites)
    if caller.practitioner:
        own |= Q(bookable__practitioner=caller.practitioner)
    return rows.filter(own)


def taken_out_of_sight(caller: Caller) -> QuerySet[Slot]:
    """What else takes the time of those whose calendars the caller works by: to say when, and nothing else of it."""
    seen = visible(Slot, caller).filter(pk=OuterRef("pk"))
    return Slot.objects.filter(~Exists(seen), bookable__in=calendars(caller).values("bookable"))


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
    moved: Appointment | None = None,
) -> None:
    """Whether the caller may take this time: `bookables` are whose it is, `sites` where.

    Software with the scope books for anyone, and so does an administrator; the front desk on the calendars of its
    sites, a practitioner on their own; a patient what is open to patients, for themselves and those they care for. A
    guest holds what is open to patients before they say who they are. By a manage link its visit is `moved`, and no
    other made.
    """
    if caller.is_system:
        if not has_scope(caller, "Appointment", "c"):
            raise Forbidden("The token has no scope to create Appointments.")
        return
    if runs(caller, bookables=bookables, sites=sites):
        return
    if caller.is_staff and not caller.patients:
        raise Forbidden(_("You can book only on calendars that you work by."))
    by_link = moved is not None and caller.visit == moved.fhir_id
    if caller.user is None and not caller.guest and not by_link:
        raise Forbidden(_("Only patients and staff can book."))
    if service.bookable_by != HealthcareService.BookableBy.PATIENTS:
        raise Forbidden(_("%(service)s is booked by the clinic. Please call us.") % {"service": service.name})
    for patient in patients:
        may_be_for(caller, patient)


def may_be_for(caller: Caller, patient: Patient) -> None:
    """Whether someone who is neither staff nor software may book for this patient.

    Who is signed in books for themselves and those they care for; a guest for someone who has no account, after the
    door has seen proof of the address; a manage link is for the patient of its visit.
    """
    if patient.pk in caller.patients:
        return
    if caller.visit and Appointment.objects.filter(fhir_id=caller.visit, patient=patient, deleted_at=None).exists():
        return
    if caller.user is None and caller.guest and patient.user_id is None:
        return
    raise Forbidden(_("You can book only for yourself and for those you care for."))


def runs(caller: Caller, *, bookables: Collection[int], sites: Collection[int | None]) -> bool:
    """Whether these are calendars that the caller works by."""
    return caller.is_administrator or _works_by(caller, bookables, sites)


def may_override(caller: Caller, *, bookables: Collection[int], sites: Collection[int | None]) -> bool:
    """Whether the caller may do with a reason what the rules of these calendars do not allow.

    A practitioner not those of another, whose time a visit takes as well.
    """
    if not runs(caller, bookables=bookables, sites=sites):
        return False
    if caller.is_administrator or caller.desk_sites.issuperset(sites):
        return True
    others = Bookable.objects.filter(pk__in=bookables, practitioner__isnull=False)
    return not others.exclude(practitioner=caller.practitioner).exists()


def may_set_hours(caller: Caller, schedule: Schedule | None) -> None:
    """Whether the caller may say when and how a service is given on a calendar: one that they work by.

    For a service as a whole, which is no one calendar's (None), only administrators may.
    """
    if caller.is_administrator:
        return
    if schedule is None:
        raise Forbidden(_("Only administrators set the hours of a service as a whole."))
    if not runs(caller, bookables=[schedule.bookable_id], sites=[schedule.site_id]):
        raise Forbidden(_("You can set the hours only of calendars that you work by."))


def _works_by(caller: Caller, bookables: Collection[int], sites: Collection[int | None]) -> bool:
    if sites and caller.desk_sites.issuperset(sites):
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


def sees_rules_lifted(caller: Caller, appointment: Appointment) -> bool:
    """Whether the cut-offs that bind patients do not bind this caller: software, and who works with the visit."""
    return caller.is_system or (caller.is_staff and at_work(caller).filter(pk=appointment.pk).exists())
