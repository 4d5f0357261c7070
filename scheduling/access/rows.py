"""Which rows somebody may see, and change."""

from collections.abc import Callable
from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from clinic.models import (
    Appointment,
    AppointmentResponse,
    AuditEvent,
    CareTeam,
    Communication,
    Coverage,
    Encounter,
    Event,
    PastVersion,
    Patient,
    QuestionnaireResponse,
    RelatedPerson,
    Resource,
    Schedule,
    Slot,
    Subscription,
)
from scheduling.access.callers import Caller, calendars
from scheduling.access.reach import PUBLIC, has_scope, require_within_scopes, within_scopes
from scheduling.access.shown import TELLING
from scheduling.errors import Forbidden, NotFound

M = TypeVar("M", bound=Model)

# A hold, and one that has ended.
HELD = (Appointment.Status.PENDING, Appointment.Status.CANCELLED)


def visible(model: type[M], caller: Caller, may: str = "rs") -> QuerySet[M]:
    """The rows of a resource that the caller may see. Proof of an address is for nobody but its guest.

    With a token, those on which one of the interactions `may` (of c r u d s) was granted.
    """
    return within_scopes(_seen(model, caller), caller, may)


def _seen(model: type[M], caller: Caller) -> QuerySet[M]:
    """Whatever the scopes of a token: software's own say everything, an app sees no more than its person."""
    rows: QuerySet[M] = model._default_manager.all()
    if model is Communication:
        rows = rows.exclude(event=Event.PROOF)
    if caller.is_system and model is Subscription:
        return rows.filter(_own_subscriptions(caller))
    if caller.is_system or caller.is_administrator:
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


def visible_past(model: type[Resource], caller: Caller) -> QuerySet[PastVersion]:
    """Earlier versions of the rows that the caller may see; for a patient none that was about somebody else."""
    rows = visible(model, caller).values("pk")
    past = PastVersion.objects.filter(resource_type=model.RESOURCE_TYPE, row_id__in=rows)
    if caller.is_system or caller.is_staff:
        return past
    return past.filter(Q(patient_id=None) | Q(patient_id__in=caller.patients))


def at_work(caller: Caller) -> QuerySet[Appointment]:
    """The visits that a person works with, which are an administrator's all. Those of their own are not among them.

    Whoever works at the clinic can be a patient of it too, and is then bound as every patient is.
    """
    rows = Appointment.objects.all()
    return rows if caller.is_administrator else rows.filter(_work(caller))


def may_name(caller: Caller, actor: str) -> bool:
    """True if the caller may know of the calendar of an actor, a FHIR reference: of a patient's if they see it."""
    kind, _, fhir_id = actor.partition("/")
    if kind != Patient.RESOURCE_TYPE:
        return True
    return visible(Schedule, caller, "rsu").filter(bookable__patient__fhir_id=fhir_id).exists()


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


def _own_subscriptions(caller: Caller) -> Q:
    """Those that the same software, or the same person, has made."""
    return Q(client=caller.client, user=caller.user)


def _own_answers(caller: Caller) -> Q:
    """Answers to visits: for who works with the visit, and for the patient, but for those of others who come to it."""
    others = Q(actor__reference__regex=rf"(^|/)({'|'.join(TELLING)})/") & ~Q(actor__reference__in=list(caller.people))
    answers = Q(appointment__patient__in=caller.patients) & ~others
    return answers | Q(appointment__in=Appointment.objects.filter(_work(caller))) if caller.is_staff else answers


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
    AppointmentResponse: _own_answers,
    QuestionnaireResponse: _of_own_visits,
    Encounter: _of_own_visits,
    Communication: _of_own_visits,
    Subscription: _own_subscriptions,
    AuditEvent: _none,
}


def taken_out_of_sight(caller: Caller) -> QuerySet[Slot]:
    """What else takes the time of those whose calendars the caller works by: to say when, and nothing else of it."""
    seen = visible(Slot, caller).filter(pk=OuterRef("pk"))
    return Slot.objects.filter(~Exists(seen), bookable__in=calendars(caller).values("bookable"))


def changeable_appointment(caller: Caller, fhir_id: str) -> Appointment:
    """The appointment with this id, if the caller may change it. One they cannot see does not exist for them."""
    appointment = visible(Appointment, caller, "rus").filter(fhir_id=fhir_id, deleted_at=None).first()
    if appointment is None:
        raise NotFound(f"There is no Appointment/{fhir_id}.")
    if caller.client and not has_scope(caller, "Appointment", "u"):
        raise Forbidden("The token has no scope to update Appointments.")
    require_within_scopes(Appointment, [appointment.pk], caller, "u")
    return appointment


def sees_rules_lifted(caller: Caller, appointment: Appointment) -> bool:
    """True if the cut-offs that bind patients do not bind this caller: software, and who works with the visit."""
    return caller.is_system or (caller.is_staff and at_work(caller).filter(pk=appointment.pk).exists())
