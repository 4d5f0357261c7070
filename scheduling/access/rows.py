"""Visible and changeable rows of each resource type."""

from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from clinic.models import (
    Absence,
    Appointment,
    AuditEvent,
    Communication,
    DeskPayment,
    Event,
    HealthcareService,
    Location,
    PastVersion,
    Patient,
    Resource,
    Schedule,
    ServiceRequest,
    Slot,
    StaffMessage,
    Subscription,
)
from clinic.models.statements import read
from scheduling.access.callers import Caller, calendars
from scheduling.access.compartments import PUBLIC
from scheduling.access.resource_rules import RULES, own_subscriptions, treats, waits_for, works_with
from scheduling.access.roles import Action
from scheduling.access.scope_filters import (
    filter_by_scopes,
    has_scope,
    has_scope_on_all,
    kind_of,
    require_within_scopes,
)
from scheduling.errors import Forbidden, NotFound
from scheduling.participants import of_patient

M = TypeVar("M", bound=Model)


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
        return rows.filter(own_subscriptions(caller))
    if caller.is_system or caller.writes_all:
        return rows
    if caller.user is None and model is not Appointment:  # guests have their holds and nothing else
        return rows.none()
    kind = kind_of(model)
    if kind in RULES:
        return rows.filter(RULES[kind].read(caller))
    return rows if kind in PUBLIC else rows.none()


def visible_past(model: type[Resource], caller: Caller) -> QuerySet[PastVersion]:
    """Earlier versions of the rows that the caller may see. Patients get none in which the row was another
    patient's.
    """
    rows = visible(model, caller).values("pk")
    past = PastVersion.objects.filter(resource_type=model.RESOURCE_TYPE, row_id__in=rows)
    if caller.is_system or caller.is_staff:
        return past
    theirs = Q(patient_id=None) | Q(patient_id__in=caller.patients)
    if model is Appointment and caller.visits_with_others:
        for reference in caller.own_references:
            theirs |= Q(row__participant__contains=[{"actor": {"reference": reference}}])
    return past.filter(theirs)


def staff_appointments(caller: Caller) -> QuerySet[Appointment]:
    """The appointments that a person sees as staff; all for an administrator.

    Staff can be patients of the clinic too: their own visits are not included, and the patients' rules apply to them.
    """
    rows = Appointment.objects.all()
    return rows if caller.is_administrator else rows.filter(works_with(caller))


def visits_with_payments(caller: Caller) -> QuerySet[Appointment]:
    """The visits whose payments a person handles as staff: see `may_handle_payments`."""
    where = caller.bounds(Action.PAYMENTS)
    return Appointment.objects.all() if where.everywhere else Appointment.objects.filter(site__in=where.sites)


def desk_payments(caller: Caller) -> QuerySet[DeskPayment]:
    """Payments at the desks of the sites whose payments a person handles: see `may_handle_payments`."""
    where = caller.bounds(Action.PAYMENTS)
    return DeskPayment.objects.all() if where.everywhere else DeskPayment.objects.filter(site__in=where.sites)


def absences(caller: Caller) -> QuerySet[Absence]:
    """The absences that a person sees as staff: those of actors whose calendars they see, and of the sites of these."""
    seen = calendars(caller).order_by()
    is_of_site = Q(bookable__location__in=seen.values("site"))
    return Absence.objects.filter(Q(bookable__in=seen.values("bookable")) | is_of_site)


def sites_run_by(caller: Caller) -> QuerySet[Location]:
    """The sites all of whose calendars the caller runs, which they can close for a time: not those of software."""
    rows = Location.objects.filter(part_of=None, deleted_at=None, status=Location.Status.ACTIVE)
    where = caller.bounds(Action.RUN)
    if caller.client:
        return rows.none()
    return rows if where.everywhere else rows.filter(pk__in=where.sites)


def staff_messages(caller: Caller) -> QuerySet[StaffMessage]:
    """The messages in their own words that a member of staff has written; all for an administrator."""
    rows = StaffMessage.objects.all()
    if caller.client or not caller.worker.is_staff:
        return rows.none()
    return rows if caller.is_administrator else rows.filter(created_by=caller.user)


def staff_patients(caller: Caller) -> QuerySet[Patient]:
    """The patients whom a person sees as staff: all for the front desk and those who see all of the clinic, else those
    of the visits that they see.
    """
    rows = Patient.objects.filter(deleted_at=None)
    if caller.is_administrator:
        return rows
    return rows.filter(treats(caller)) if caller.is_staff else rows.none()


def audit_of(patient: Patient, caller: Caller) -> QuerySet[AuditEvent]:
    """The audit lines of a patient, for those who change patients' records."""
    lines = AuditEvent.objects.filter(patient=patient)
    return lines if caller.runs_desk else lines.none()


def replies_to_staff(caller: Caller) -> QuerySet[Communication]:
    """The text messages from patients that a person reads as staff.

    They are those about visits that the person works with, and at a front desk those about no known visit.
    """
    rows = Communication.objects.filter(event=Event.REPLY, deleted_at=None)
    if caller.sees_clinic:
        return rows
    own = Q(appointment__in=staff_appointments(caller))
    return rows.filter(own | Q(appointment=None)) if caller.runs_desk else rows.filter(own)


def own_referrals(caller: Caller) -> QuerySet[ServiceRequest]:
    """The referrals that the caller has made on the pages; none for anybody who is no referrer."""
    rows = ServiceRequest.objects.filter(deleted_at=None)
    return rows.filter(referred_by=caller.user) if caller.is_referrer else rows.none()


def staff_referrals(caller: Caller) -> QuerySet[ServiceRequest]:
    """The referrals that a member of staff sees, by the rule of their type."""
    rows = ServiceRequest.objects.filter(deleted_at=None)
    return rows.filter(pk__in=visible(ServiceRequest, caller).values("pk")) if caller.is_staff else rows.none()


def withdrawable_referrals(caller: Caller) -> QuerySet[ServiceRequest]:
    """The referrals that the caller may withdraw, and whose link they may send to the patient: the referrer's own, and
    those that the front desk sees.
    """
    return staff_referrals(caller) if caller.runs_desk else own_referrals(caller)


def waiting(caller: Caller) -> QuerySet[Appointment]:
    """The entries of the waiting list that a person works with as staff; all for an administrator."""
    entries = Appointment.objects.filter(status=Appointment.Status.WAITLIST, deleted_at=None)
    return entries if caller.sees_clinic else entries.filter(waits_for(caller))


def services_worked_with(caller: Caller) -> QuerySet[HealthcareService]:
    """The services that the calendars of a member of staff offer; all for an administrator."""
    services = HealthcareService.objects.filter(deleted_at=None)
    if caller.sees_clinic:
        return services
    own = calendars(caller).filter(Q(offers_all_services=True) | Q(services=OuterRef("pk")))
    return services.filter(Exists(own))


def of_its_patient(appointment: Appointment, caller: Caller) -> QuerySet[Appointment]:
    """The appointments of the appointment's patient that count when the caller books or moves it.

    They are those that the caller sees. By the link to a visit all count, and its holder is told only that there are
    some.
    """
    rows = Appointment.objects.all() if caller.holds_link_of(appointment) else visible(Appointment, caller)
    return rows.filter(of_patient(appointment.patient_id))


def may_know_calendar(caller: Caller, actor: str) -> bool:
    """True if the caller may know of the calendar of an actor (a FHIR reference); a patient's only if it is visible."""
    kind, _, fhir_id = actor.partition("/")
    if kind != Patient.RESOURCE_TYPE:
        return True
    return visible(Schedule, caller, "rsu").filter(bookable__patient__fhir_id=fhir_id).exists()


def hidden_busy_slots(caller: Caller) -> QuerySet[Slot]:
    """Slots of other calendars that take the time of the caller's calendars: only when may be shown, nothing else."""
    seen = visible(Slot, caller).filter(pk=OuterRef("pk"))
    return Slot.objects.filter(~Exists(seen), bookable__in=calendars(caller).values("bookable"))


def changeable_appointment(caller: Caller, fhir_id: str, *, lock: bool = False) -> Appointment:
    """The appointment with this id, with its service and patient. One statement, unless the token's scopes need one.

    With `lock` it is locked until commit: what the caller sees is decided on the row as it is then. Raises NotFound if
    the caller cannot see it, Forbidden if they cannot change it.
    """
    may_change = not caller.client or has_scope(caller, "Appointment", "u")
    if (caller.is_system or caller.writes_all) and has_scope_on_all(caller, "Appointment", "u"):
        appointment = read(Appointment, fhir_id, "service", "patient", lock=lock)
    else:
        rows = visible(Appointment, caller.worker, "rus").filter(fhir_id=fhir_id, deleted_at=None)
        if lock and may_change:
            rows = rows.select_for_update(no_key=True, of=("self",))
        appointment = rows.select_related("service", "patient").first()
    if appointment is None:
        raise NotFound(f"There is no Appointment/{fhir_id}.")
    if not may_change:
        raise Forbidden("The token has no scope to update Appointments.")
    require_within_scopes(Appointment, [appointment.pk], caller, "u")
    return appointment


def is_exempt_from_cutoffs(caller: Caller, appointment: Appointment) -> bool:
    """True if the patients' cut-offs do not apply: to software, and to staff who work with the visit."""
    return caller.is_system or runs_visit(caller, appointment)


def runs_visit(caller: Caller, appointment: Appointment) -> bool:
    """True if a person runs the visit as staff, and does not only see it."""
    worker = caller.worker
    return worker.is_staff and staff_appointments(worker).filter(pk=appointment.pk).exists()
