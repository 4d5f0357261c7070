"""Whoever asks."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import Exists, OuterRef, Q, QuerySet

from clinic.models import Patient, Practitioner, RelatedPerson, Schedule, User
from scheduling.access.scopes import Scope, read_scope


def _unread(caller: "Caller", kind: str, constraint: str) -> Q | None:
    """A door that reads no search parameters grants nothing by them."""
    return None


@dataclass(frozen=True)
class Caller:
    """Whoever asks: a person who is signed in, software with the scopes of its token, or software that acts for a
    person, as far as its scopes go; nobody without either.

    `in_context` is the primary key of the Patient whom an app was given, and `condition_of` how the door reads the
    search parameters of a scope: None for what it cannot read.

    `guest` is a secret that a browser keeps, by which it is known again for what it held. It stays with someone who
    signs in, for what is still held. `visit` is the id of the one Appointment that a manage link, checked by the door,
    stands for.
    """

    user: User | None = None
    client: str = ""
    scopes: tuple[str, ...] = ()
    guest: str = ""
    visit: str = ""
    in_context: int | None = None
    condition_of: Callable[["Caller", str, str], Q | None] = field(default=_unread, repr=False, compare=False)

    @property
    def owner(self) -> str:
        """Whose idempotency keys these are."""
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
        """What is written of the secret, so that who reads the database cannot act as the guest."""
        return hashlib.sha256(self.guest.encode()).hexdigest() if self.guest else ""

    @property
    def is_system(self) -> bool:
        """Software that acts for itself and for no person."""
        return bool(self.client) and self.user is None

    @cached_property
    def grants(self) -> tuple[Scope, ...]:
        """The scopes that count: software's own are `system/`, those of an app for a person `patient/` and `user/`."""
        scopes = (read_scope(each) for each in self.scopes)
        return tuple(each for each in scopes if each and (each.level == "system") == self.is_system)

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
    def people(self) -> frozenset[str]:
        """These patients and who cares for each of them, as FHIR references."""
        carers = RelatedPerson.objects.filter(patient__in=self.patients)
        return frozenset(each.reference for each in (*self.patients.values(), *carers))

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


def calendars(caller: Caller) -> QuerySet[Schedule]:
    """The schedules that the caller works by: their own, those at their front desk's sites, an administrator's all."""
    rows = Schedule.objects.filter(active=True, deleted_at=None)
    if caller.is_administrator:
        return rows
    own = Q(site__in=caller.desk_sites)
    if caller.practitioner:
        own |= Q(bookable__practitioner=caller.practitioner)
    return rows.filter(own)
