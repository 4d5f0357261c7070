"""Use cases of carers: a patient invites somebody to manage their visits, who accepts or declines; either side ends it.

An invitation is a RelatedPerson that is not active yet and has no account.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from clinic import childhood
from clinic.country import clinic_zone
from clinic.fhir.codes import ROLE_CODES
from clinic.models import AuditEvent, Communication, Event, Patient, RelatedPerson
from clinic.parking import Parking
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.booking.idempotency import refusals
from scheduling.errors import NotFound, RuleBroken

INVITATION_LASTS = timedelta(days=7)
MOST_INVITATIONS = 5  # of one patient that wait for an answer
TOLD_BEFORE = timedelta(days=30)

Action = AuditEvent.Action


@dataclass(frozen=True, slots=True)
class Invitation:
    """The invitation of a carer: an email address or a telephone number, and what the patient shares."""

    address: str
    access: str
    relationship: str = ""  # a code of ROLE_CODES

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of the RelatedPerson."""
        codes = [{"coding": [{"system": ROLE_CODES, "code": self.relationship}]}] if self.relationship else []
        contact = {"email" if "@" in self.address else "phone": self.address}
        return {"access": self.access, "relationship": codes, **contact}


@refusals()
@transaction.atomic(durable=True)
def invite(invitation: Invitation, *, caller: Caller, now: datetime) -> RelatedPerson:
    """Invite somebody to manage the caller's visits. An earlier invitation to the same address ends."""
    patient = access.may_invite(caller)
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    if caller.user is not None and invitation.address.lower() == caller.user.email:
        raise RuleBroken(_("That is your own address. Enter that of the other person."))
    open_invitations = list(invitations_of(patient, now=now))
    same = [carer for carer in open_invitations if (carer.email or carer.phone) == invitation.address]
    if len(open_invitations) - len(same) >= MOST_INVITATIONS:
        raise RuleBroken(_("Five invitations wait for an answer. Withdraw one before you send another."))
    for earlier in same:
        _delete(earlier, now)
    carer = RelatedPerson.objects.create(
        patient=patient, active=False, invited=now, last_updated=now, **invitation.columns
    )
    notifications.invited(carer, now=now)
    _audit("invite-carer", Action.CREATE, carer, caller, now)
    return carer


@refusals()
@transaction.atomic(durable=True)
def accept(carer_id: str, *, caller: Caller, now: datetime) -> RelatedPerson:
    """Make the caller the carer who was invited. It replaces what the patient shared with them before."""
    carer = _locked(carer_id)
    if not is_open(carer, now=now):
        raise RuleBroken(_("This invitation has ended. Ask for a new one."))
    if caller.user is None or caller.client:
        raise RuleBroken(_("Sign in to accept the invitation."))
    if carer.patient.user_id == caller.user.pk:
        raise RuleBroken(_("This invitation is from your own account. It is for the other person."))
    before = RelatedPerson.objects.select_for_update(no_key=True).filter(patient=carer.patient, user=caller.user)
    for earlier in before.filter(deleted_at=None):
        _delete(earlier, now)
    own = caller.patient
    carer.user, carer.active, carer.keeps_access = caller.user, True, True  # the patient wants it, whatever the age
    carer.given, carer.family = (own.given, own.family) if own else ("", "")
    _save(carer, now)
    _audit("accept-invitation", Action.UPDATE, carer, caller, now)
    return carer


@refusals()
@transaction.atomic(durable=True)
def decline(carer_id: str, *, caller: Caller, now: datetime) -> None:
    """End an invitation that its recipient does not want. The link is the permission."""
    carer = _locked(carer_id)
    if is_open(carer, now=now):
        _delete(carer, now)
        _audit("decline-invitation", Action.DELETE, carer, caller, now)


@refusals()
@transaction.atomic(durable=True)
def end(carer_id: str, *, caller: Caller, now: datetime) -> None:
    """End the access of a carer, or withdraw the invitation: by the patient or by the carer."""
    carer = _locked(carer_id)
    access.may_end(caller, carer)
    _delete(carer, now)
    _audit("end-carer", Action.DELETE, carer, caller, now)


def is_open(carer: RelatedPerson, *, now: datetime) -> bool:
    """True if the RelatedPerson is an invitation that can be accepted."""
    invited = carer.invited
    return (
        carer.deleted_at is None and carer.user_id is None and invited is not None and now < invited + INVITATION_LASTS
    )


def invitations_of(patient: Patient, *, now: datetime) -> Any:
    """The patient's invitations that wait for an answer."""
    rows = RelatedPerson.objects.filter(patient=patient, user=None, active=False, deleted_at=None)
    return rows.filter(invited__gt=now - INVITATION_LASTS).order_by("pk")


def tell_of_age(*, now: datetime) -> int:
    """Tell young patients and their parents, a month ahead, that the parents' access ends. Return for how many.

    Each is told once. Nothing depends on it: scheduling.access ends the access by itself.
    """
    today = now.astimezone(clinic_zone()).date()
    parents = RelatedPerson.objects.filter(active=True, deleted_at=None, user__is_active=True, keeps_access=False)
    soon = Patient.objects.filter(active=True, deleted_at=None, related_persons__in=parents).distinct()
    soon = soon.filter(
        birth_date__gt=_years_before(today, settings.ADULT_AGE),
        birth_date__lte=_years_before(today + TOLD_BEFORE, settings.ADULT_AGE),
    )
    aside = Parking("tell of age", Patient, now=now)
    told: list[bool] = []
    waiting = soon.exclude(pk__in=aside.waiting).order_by("pk")
    aside.process_each(waiting, lambda patient: told.append(_tell(patient, now)))
    return sum(told)


def _tell(patient: Patient, now: datetime) -> bool:
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    carers = RelatedPerson.objects.filter(patient=patient, active=True, deleted_at=None, user__is_active=True)
    parents = [
        carer
        for carer in carers.select_related("user").order_by("pk")
        if childhood.ends_access(carer.relationship, keeps=carer.keeps_access)
    ]
    if not parents or Communication.objects.filter(patient=patient, event=Event.OF_AGE).exists():
        return False
    own = patient.email or patient.phone * settings.SMS_ENABLED
    addresses = [own, *(carer.user.email for carer in parents if carer.user)]
    assert patient.birth_date is not None  # tell_of_age selects by it
    day = childhood.of_age_on(patient.birth_date)
    notifications.comes_of_age(patient, dict.fromkeys(filter(None, addresses)), day, now=now)
    return True


def _years_before(day: date, years: int) -> date:
    """The latest birth date of those who have the age on this day."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 2, 28)


def _locked(carer_id: str) -> RelatedPerson:
    rows = RelatedPerson.objects.select_for_update(no_key=True, of=("self",)).select_related("patient")
    carer = rows.filter(fhir_id=carer_id, deleted_at=None).first()
    if carer is None:
        raise NotFound(f"There is no RelatedPerson/{carer_id}.")
    return carer


def _delete(carer: RelatedPerson, now: datetime) -> None:
    carer.deleted_at = now
    _save(carer, now)


def _save(carer: RelatedPerson, now: datetime) -> None:
    carer.version += 1
    carer.last_updated = now
    carer.save()


def _audit(use_case: str, action: AuditEvent.Action, carer: RelatedPerson, caller: Caller, now: datetime) -> None:
    about = {"patient": carer.patient, "target": carer.reference}
    access.audit_event(use_case, action, caller=caller, now=now, **about).save()
