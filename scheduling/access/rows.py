"""Visible and changeable rows of each resource type."""

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
from scheduling.access.compartments import PATIENT
from scheduling.access.redaction import IDENTIFYING_TYPES
from scheduling.access.scope_filters import PUBLIC, filter_by_scopes, has_scope, require_within_scopes
from scheduling.errors import Forbidden, NotFound

M = TypeVar("M", bound=Model)

# The statuses of a hold and of a released hold.
HELD = (Appointment.Status.PENDING, Appointment.Status.CANCELLED)


def visible(model: type[M], caller: Caller, may: str = "rs") -> QuerySet[M]:
    """The rows of a resource that the caller may see.

    With a token, only those on which one of the interactions `may` (letters of "cruds") is granted. Messages with a
    guest's code are never included.
    """
    return filter_by_scopes(_seen(model, caller), caller, may)


def _seen(model: type[M], caller: Caller) -> QuerySet[M]:
    """The visible rows before the scopes of a token are applied.

    Software that acts for itself is limited by its scopes alone; an app sees no more than its person does.
    """
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
    """Earlier versions of the rows that the caller may see. Patients get none in which the row was another
    patient's.
    """
    rows = visible(model, caller).values("pk")
    past = PastVersion.objects.filter(resource_type=model.RESOURCE_TYPE, row_id__in=rows)
    if caller.is_system or caller.is_staff:
        return past
    return past.filter(Q(patient_id=None) | Q(patient_id__in=caller.patients))


def staff_appointments(caller: Caller) -> QuerySet[Appointment]:
    """The appointments that a person works with as staff; all for an administrator.

    Staff can be patients of the clinic too: their own visits are not included, and the patients' rules apply to them.
    """
    rows = Appointment.objects.all()
    return rows if caller.is_administrator else rows.filter(_work(caller))


def of_its_patient(appointment: Appointment, caller: Caller) -> QuerySet[Appointment]:
    """The appointments of the appointment's patient that count when the caller books or moves it.

    They are those that the caller sees. By the link to a visit all count, and its holder is told only that there are
    some.
    """
    rows = Appointment.objects.all() if caller.visit == appointment.fhir_id else visible(Appointment, caller)
    return rows.filter(patient=appointment.patient_id)


def may_know_calendar(caller: Caller, actor: str) -> bool:
    """True if the caller may know of the calendar of an actor (a FHIR reference); a patient's only if it is visible."""
    kind, _, fhir_id = actor.partition("/")
    if kind != Patient.RESOURCE_TYPE:
        return True
    return visible(Schedule, caller, "rsu").filter(bookable__patient__fhir_id=fhir_id).exists()


def _own_schedules(caller: Caller) -> Q:
    """The schedules that are not a patient's, and those of the caller's patients; for the front desk, all."""
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
    own &= Q(status__in=HELD)  # others may have booked in this browser before
    own |= Q(held_by=caller.user, patient=None)  # a hold without a patient belongs to whoever made it
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
        return Q()  # the front desk must find any patient to book for them
    if caller.practitioner:
        own |= Q(
            Exists(
                Appointment.objects.filter(patient=OuterRef("pk"), slots__bookable__practitioner=caller.practitioner)
            )
        )
    return own


def _own_slots(caller: Caller) -> Q:
    """Slots on the calendars of staff, and of the patient's own visits."""
    own = Q(appointment__patient__in=caller.patients)
    if caller.practitioner:
        own |= Q(bookable__practitioner=caller.practitioner)
    if caller.desk_sites:
        own |= Q(schedule__site__in=caller.desk_sites)
    return own


def _of_own_patients(model: type[Resource]) -> Callable[[Caller], Q]:
    """Condition for rows of patients that the caller may see."""
    name = f"{PATIENT[model.RESOURCE_TYPE]}__in"
    return lambda caller: Q(**{name: Patient.objects.filter(_own_patients(caller), deleted_at=None)})


def _of_own_visits(caller: Caller) -> Q:
    """Condition for rows of visits: for the patient, and for staff who work with that visit."""
    own = Q(patient__in=caller.patients)
    return own | Q(appointment__in=Appointment.objects.filter(_work(caller))) if caller.is_staff else own


def _own_subscriptions(caller: Caller) -> Q:
    """Subscriptions that the same software or the same person created."""
    return Q(client=caller.client, user=caller.user)


def _own_answers(caller: Caller) -> Q:
    """Answers to visits: for staff who work with the visit, and for the patient, except those of other patients and
    carers.
    """
    others = Q(actor__reference__regex=rf"(^|/)({'|'.join(IDENTIFYING_TYPES)})/")
    others &= ~Q(actor__reference__in=list(caller.people))
    answers = Q(appointment__patient__in=caller.patients) & ~others
    return answers | Q(appointment__in=Appointment.objects.filter(_work(caller))) if caller.is_staff else answers


def _none(caller: Caller) -> Q:
    return Q(pk__in=[])


# The rows that a signed-in person may see, by model.
OWN: dict[type[Model], Callable[[Caller], Q]] = {
    Patient: _own_patients,
    Slot: _own_slots,
    Schedule: _own_schedules,
    RelatedPerson: _of_own_patients(RelatedPerson),
    Coverage: _of_own_patients(Coverage),
    CareTeam: _of_own_patients(CareTeam),
    AppointmentResponse: _own_answers,
    QuestionnaireResponse: _of_own_visits,
    Encounter: _of_own_visits,
    Communication: _of_own_visits,
    Subscription: _own_subscriptions,
    AuditEvent: _none,
}


def hidden_busy_slots(caller: Caller) -> QuerySet[Slot]:
    """Slots of other calendars that take the time of the caller's calendars: only when may be shown, nothing else."""
    seen = visible(Slot, caller).filter(pk=OuterRef("pk"))
    return Slot.objects.filter(~Exists(seen), bookable__in=calendars(caller).values("bookable"))


def changeable_appointment(caller: Caller, fhir_id: str) -> Appointment:
    """The appointment with this id. Raises NotFound if the caller cannot see it, Forbidden if they cannot change it."""
    appointment = visible(Appointment, caller, "rus").filter(fhir_id=fhir_id, deleted_at=None).first()
    if appointment is None:
        raise NotFound(f"There is no Appointment/{fhir_id}.")
    if caller.client and not has_scope(caller, "Appointment", "u"):
        raise Forbidden("The token has no scope to update Appointments.")
    require_within_scopes(Appointment, [appointment.pk], caller, "u")
    return appointment


def is_exempt_from_cutoffs(caller: Caller, appointment: Appointment) -> bool:
    """True if the patients' cut-offs do not apply: to software, and to staff who work with the visit."""
    return caller.is_system or (caller.is_staff and staff_appointments(caller).filter(pk=appointment.pk).exists())
