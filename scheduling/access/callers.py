"""The caller of a use case."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet

from clinic.models import AppointmentPatient, Patient, Practitioner, RelatedPerson, Schedule, User
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

    `offerings_stamp` is the stamp of the offerings that was read with the token: scheduling.availability.

    `guest` is a secret kept by the browser that identifies the holds made in it, also after somebody has signed in.
    `visit` is the id of the only Appointment that a verified manage link gives access to, and `visit_patient` the
    reference of its patient for whom the link is.
    """

    user: User | None = None
    client: str = ""
    scopes: tuple[str, ...] = ()
    guest: str = ""
    visit: str = ""
    visit_patient: str = ""
    context_patient: int | None = None
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

    @cached_property
    def patient(self) -> Patient | None:
        return _with_visits(Patient.objects.filter(user=self.user, deleted_at=None)).first() if self.user else None

    @cached_property
    def patients(self) -> dict[int, Patient]:
        """The patients that the caller may see and book for, by primary key: first the caller's own record, then the
        records of those they care for.
        """
        own = {self.patient.pk: self.patient} if self.patient else {}
        if self.user is None:
            return own
        carer = RelatedPerson.objects.filter(user=self.user, active=True, deleted_at=None)
        cared = _with_visits(Patient.objects.filter(Exists(carer.filter(patient=OuterRef("pk"))), deleted_at=None))
        return own | {each.pk: each for each in cared}

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
    def desk_sites(self) -> frozenset[int]:
        """Primary keys of the sites where this person works at the front desk."""
        return frozenset(self.user.desk_locations.values_list("pk", flat=True)) if self.user else frozenset()

    @cached_property
    def own_calendars(self) -> frozenset[int]:
        """Primary keys of the schedules that this person works with."""
        return frozenset(calendars(self).values_list("pk", flat=True)) if self.is_staff else frozenset()

    @property
    def is_staff(self) -> bool:
        return self.is_administrator or bool(self.practitioner or self.desk_sites)


def calendars(caller: Caller) -> QuerySet[Schedule]:
    """The schedules that the caller works with: their own, those at their front desk's sites, or all for an
    administrator.
    """
    rows = Schedule.objects.filter(active=True, deleted_at=None)
    if caller.is_administrator:
        return rows
    own = Q(site__in=caller.desk_sites)
    if caller.practitioner:
        own |= Q(bookable__practitioner=caller.practitioner)
    return rows.filter(own)
