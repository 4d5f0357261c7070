"""The caller of a use case."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BigIntegerField, CharField, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Now

from clinic import childhood
from clinic.models import (
    Appointment,
    AppointmentPatient,
    Patient,
    Practitioner,
    RelatedPerson,
    Schedule,
    ServiceRequest,
    StaffRole,
    User,
)
from scheduling.access.roles import PERMISSIONS, Action, Bounds, HeldRole, Role, bounds_of
from scheduling.access.scopes import Scope, read_scope

WITH_OTHERS = "visits_with_others_keys"  # read with the patients, so that it costs no statement


def _with_visits(patients: QuerySet[Patient]) -> QuerySet[Patient]:
    keys = AppointmentPatient.objects.filter(patient=OuterRef("pk")).values("appointment")
    return patients.annotate(**{WITH_OTHERS: ArraySubquery(keys)})


def _unread(caller: "Caller", kind: str, constraint: str) -> Q | None:
    """The condition of a scope's search parameters where a caller reads none: None, so they grant nothing."""
    return None


@dataclass(frozen=True)
class Caller:
    """The caller: a signed-in person, software with the scopes of its token, or software that acts for a person within
    those scopes. Without `user` and `client` the caller is anonymous.

    `context_patient` is the primary key of the Patient in an app's launch context. `condition_of` turns the search
    parameters of a scope into a condition, or None for parameters that it cannot read.
    `only_runs` leaves out the roles that only see.
    `is_importing` is set while an import writes for the caller: see `importer_of`.

    `offerings_stamp` is the stamp of the offerings that was read with the token: scheduling.availability.

    `guest` is a secret kept by the browser that identifies the holds made in it, also after somebody has signed in.
    `tickets` are the ids of the referrals whose links were opened in this browser, and `proven_tickets` those among
    them whose patient's birth date was given too.
    `visit` is the id of the only Appointment that a verified manage link gives access to, and `visit_patient` the
    reference of its patient for whom the link is. `visit_series` is its series, of which the link gives access to that
    patient's other visits too.
    """

    user: User | None = None
    client: str = ""
    scopes: tuple[str, ...] = ()
    guest: str = ""
    tickets: frozenset[str] = frozenset()
    proven_tickets: frozenset[str] = frozenset()
    visit: str = ""
    visit_patient: str = ""
    visit_series: UUID | None = None
    context_patient: int | None = None
    only_runs: bool = False
    is_importing: bool = False
    offerings_stamp: str | None = field(default=None, repr=False, compare=False)
    condition_of: Callable[["Caller", str, str], Q | None] = field(default=_unread, repr=False, compare=False)

    @property
    def owner(self) -> str:
        """The owner of the caller's idempotency keys."""
        if self.client and self.user:
            return f"app:{self.client}:{self.user.pk}"
        if self.client:
            return f"client:{self.client}"
        return f"guest:{self.guest_digest}" if self.user is None and self.guest else f"user:{self._user_pk}"

    @property
    def _user_pk(self) -> int | str:
        return self.user.pk if self.user else ""

    @cached_property
    def guest_digest(self) -> str:
        """Digest of the guest's secret as it is stored, so that reading the database does not allow acting as the
        guest.
        """
        return hashlib.sha256(self.guest.encode()).hexdigest() if self.guest else ""

    def holds_link_of(self, appointment: Appointment) -> bool:
        """True if a manage link gives the caller access to the appointment, for the patient that it has here."""
        if not self.visit:
            return False
        is_of_series = self.visit_series is not None and appointment.series == self.visit_series
        patient = appointment.patient.reference if appointment.patient else ""
        return self.visit == appointment.fhir_id or (is_of_series and patient == self.visit_patient)

    @property
    def is_system(self) -> bool:
        """True if the caller is software that acts for itself and not for a person."""
        return bool(self.client) and self.user is None

    @cached_property
    def grants(self) -> tuple[Scope, ...]:
        """The scopes that apply: `system/` for software that acts for itself, `patient/` and `user/` for an app of a
        person.
        """
        scopes = (read_scope(text) for text in self.scopes)
        return tuple(scope for scope in scopes if scope and (scope.level == "system") == self.is_system)

    @property
    def is_administrator(self) -> bool:
        return bool(self.user and self.user.is_superuser)

    @property
    def writes_all(self) -> bool:
        """True if this person reads and writes every resource: administrators, and the caller of an import."""
        return self.is_administrator or self.is_importing

    @cached_property
    def patient(self) -> Patient | None:
        return _with_visits(Patient.objects.filter(user=self.user, deleted_at=None)).first() if self.user else None

    @cached_property
    def patients(self) -> dict[int, Patient]:
        """The patients that the caller may see and book for, by primary key: first the caller's own record, then the
        records of those they care for.
        """
        own = {self.patient.pk: self.patient} if self.patient else {}
        return own | {carer.patient_id: carer.patient for carer in self._cares}

    @property
    def only_patient(self) -> Patient | None:
        """The caller's own record, if there is nobody else whom they can book for."""
        return self.patient if len(self.patients) == 1 else None

    @cached_property
    def confided(self) -> frozenset[int]:
        """Primary keys of these patients without those who share only their visits."""
        own = {self.patient.pk} if self.patient else set()
        return frozenset(own | {carer.patient_id for carer in self._cares if carer.access == RelatedPerson.Access.ALL})

    @property
    def confided_patients(self) -> list[Patient]:
        """Return these patients, in the order of `patients`."""
        return [patient for key, patient in self.patients.items() if key in self.confided]

    @property
    def carer(self) -> RelatedPerson | None:
        """The first of the caller's RelatedPersons that stand."""
        return min(self._cares, key=lambda carer: carer.pk, default=None)

    @cached_property
    def _cares(self) -> list[RelatedPerson]:
        """The caller's RelatedPersons that stand now, by PostgreSQL's clock, each with its patient. One statement."""
        if self.user is None:
            return []
        rows = RelatedPerson.objects.filter(user=self.user, active=True, deleted_at=None, patient__deleted_at=None)
        visits = AppointmentPatient.objects.filter(patient=OuterRef("patient")).values("appointment")
        rows = rows.annotate(read=Now(), **{WITH_OTHERS: ArraySubquery(visits)}).select_related("patient")
        standing: list[RelatedPerson] = []
        for carer in rows.order_by("patient__family", "patient__given", "patient"):
            setattr(carer.patient, WITH_OTHERS, getattr(carer, WITH_OTHERS))
            if childhood.lets(carer, carer.read):
                standing.append(carer)
        return standing

    @cached_property
    def visits_with_others(self) -> frozenset[int]:
        """Primary keys of the visits to which these patients come with others, and not as the first of them."""
        return frozenset(pk for patient in self.patients.values() for pk in getattr(patient, WITH_OTHERS, ()))

    @cached_property
    def people(self) -> frozenset[str]:
        """FHIR references of these patients and of everyone who cares for one of them."""
        carers = RelatedPerson.objects.filter(patient__in=self.patients)
        return frozenset(each.reference for each in (*self.patients.values(), *carers))

    @property
    def own_references(self) -> frozenset[str]:
        """FHIR references of the patients for whom the caller acts as a patient, a carer, or by a manage link."""
        named = {self.visit_patient} if self.visit_patient else set()
        return frozenset({patient.reference for patient in self.patients.values()} | named)

    @cached_property
    def practitioner(self) -> Practitioner | None:
        return Practitioner.objects.filter(user=self.user, deleted_at=None).first() if self.user else None

    @cached_property
    def roles(self) -> tuple[HeldRole, ...]:
        """The person's roles at the clinic, each with its bounds."""
        held = list(self._stored_roles)
        if self.is_administrator:
            held.append(HeldRole(Role.ADMINISTRATOR))
        if self.practitioner:
            held.append(HeldRole(Role.PRACTITIONER, practitioner=self.practitioner.pk))
        return tuple(each for each in held if not self.only_runs or Action.RUN in PERMISSIONS[each.role])

    @cached_property
    def _stored_roles(self) -> tuple[HeldRole, ...]:
        """The person's roles that have rows, with the sites of their front desk. One statement."""
        if self.user is None:
            return ()
        desk = (
            Value(Role.FRONT_DESK.value, CharField()),
            "location_id",
            Cast(Value(None), BigIntegerField()),
        )
        desks = User.desk_locations.through.objects.filter(user=self.user).values_list(*desk)
        rows = StaffRole.objects.filter(user=self.user).order_by().values_list("role", "site_id", "practitioner_id")
        return tuple(HeldRole(Role(role), site, person) for role, site, person in desks.union(rows, all=True))

    def bounds(self, action: Action) -> Bounds:
        """The part of the clinic for which the caller's roles allow this."""
        if self.is_administrator:
            return Bounds(everywhere=True)
        return bounds_of(action, self.roles)

    @cached_property
    def worker(self) -> "Caller":
        """The caller without the roles that may only see, for whatever changes something."""
        if all(Action.RUN in PERMISSIONS[each.role] for each in self._stored_roles):
            return self
        return replace(self, only_runs=True)

    @cached_property
    def runs_clinic(self) -> bool:
        """True if this person runs all calendars: owners, managers and administrators."""
        return self.bounds(Action.RUN).everywhere

    @property
    def sees_clinic(self) -> bool:
        """True if this person sees all calendars."""
        return self.bounds(Action.SEE).everywhere

    @property
    def sets_up(self) -> bool:
        """True if this person sets up the clinic on the pages."""
        return not self.client and bool(self.bounds(Action.SET_UP))

    @property
    def handles_payments(self) -> bool:
        """True if this person handles payments at some site."""
        return not self.client and bool(self.bounds(Action.PAYMENTS))

    @property
    def runs_desk(self) -> bool:
        """True if this person works at a front desk, or runs the clinic."""
        return bool(self.bounds(Action.RECORDS))

    @cached_property
    def desk_sites(self) -> frozenset[int]:
        """Primary keys of the sites where this person works at the front desk."""
        return self.bounds(Action.RECORDS).sites

    @cached_property
    def own_calendars(self) -> frozenset[int]:
        """Primary keys of the schedules that this person works with."""
        return frozenset(calendars(self).values_list("pk", flat=True)) if self.is_staff else frozenset()

    @cached_property
    def referred_services(self) -> frozenset[int]:
        """Primary keys of the services for which these patients have an active referral."""
        active = ServiceRequest.objects.filter(status=ServiceRequest.Status.ACTIVE, deleted_at=None)
        return frozenset(active.filter(patient__in=self.patients).values_list("service", flat=True)) - {None}

    @property
    def is_referrer(self) -> bool:
        """True for a person outside the clinic who refers patients to it, by the account of their own."""
        return bool(self.user and self.user.refers_for)

    @property
    def is_staff(self) -> bool:
        return self.is_administrator or bool(self.roles)


def calendars(caller: Caller, action: Action = Action.SEE) -> QuerySet[Schedule]:
    """The schedules for which the caller may do this as staff: their own, those at their sites, or all of them."""
    rows = Schedule.objects.filter(active=True, deleted_at=None)
    where = caller.bounds(action)
    if where.everywhere:
        return rows
    own = Q(site__in=where.sites)
    if where.practitioners:
        own |= Q(bookable__practitioner__in=where.practitioners)
    return rows.filter(own)
