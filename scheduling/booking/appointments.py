"""An appointment's own life: which states follow which, who may change it, what is written down of it."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from clinic.models import Appointment, AuditEvent
from clinic.models.statements import insert
from scheduling import access, notifications, requirements
from scheduling.access import Caller
from scheduling.booking import encounters
from scheduling.booking.request import Json
from scheduling.booking.slots import let_go
from scheduling.errors import HoldExpired, IllegalTransition, RuleBroken, TimeTaken, VersionConflict
from scheduling.versions import Versions, has_version

# https://hl7.org/fhir/R4/valueset-appointmentstatus.html and the state diagram of Argonaut Scheduling
TRANSITIONS: dict[str, frozenset[str]] = {
    "proposed": frozenset({"pending", "booked", "waitlist", "cancelled", "entered-in-error"}),
    "waitlist": frozenset({"proposed", "pending", "booked", "cancelled", "entered-in-error"}),
    "pending": frozenset({"booked", "cancelled", "entered-in-error"}),
    "booked": frozenset({"arrived", "checked-in", "fulfilled", "noshow", "cancelled", "entered-in-error"}),
    "arrived": frozenset({"checked-in", "fulfilled", "noshow", "cancelled", "entered-in-error"}),
    "checked-in": frozenset({"arrived", "fulfilled", "cancelled", "entered-in-error"}),
    "fulfilled": frozenset({"entered-in-error"}),
    "noshow": frozenset({"entered-in-error"}),
    "cancelled": frozenset({"entered-in-error"}),
    "entered-in-error": frozenset(),
}
# A slip of the desk is taken back, by hand and at once.
CORRECTIONS: dict[str, frozenset[str]] = {
    "arrived": frozenset({"booked"}),
    "checked-in": frozenset({"booked", "arrived"}),
    "fulfilled": frozenset({"booked", "arrived", "checked-in"}),
    "noshow": frozenset({"booked", "arrived"}),
}
TOO_LATE = {
    "moved": _("This visit could be moved until %(hours)s hours before its start. Please call the clinic."),
    "cancelled": _("This visit could be cancelled until %(hours)s hours before its start. Please call the clinic."),
}
BEGUN = {
    "moved": _("This visit has begun and can no longer be moved. Please call the clinic."),
    "cancelled": _("This visit has begun and can no longer be cancelled. Please call the clinic."),
}
# What is only true from the day of the visit on; that nobody came, from its start on.
ON_ITS_DAY = frozenset({"arrived", "checked-in", "fulfilled", "noshow"})
FREES_TIME = frozenset({"cancelled", "entered-in-error"})
CREATES = ("book", "hold", "request")


def end_visit(
    appointment: Appointment,
    status: str,
    *,
    reason: Json | None,
    caller: Caller,
    now: datetime,
    as_: str = "cancel",
    tell: bool = True,
) -> Appointment:
    """Let go of the time of a locked appointment. The patient declines a booking or a request; of a hold nobody does.

    The patient is told if one of these is cancelled; nothing that was to be sent about it goes out any more.
    """
    let_go([appointment.pk], now=now)
    was_promised = appointment.status != Appointment.Status.PENDING or appointment.is_request
    if appointment.status == Appointment.Status.BOOKED or appointment.is_request:
        appointment.participant = [declined(each) for each in appointment.participant]
    elif not was_promised:
        appointment.participant = [{**each, "status": "tentative"} for each in appointment.participant]
    appointment.status = status
    appointment.sequence += was_promised
    appointment.hold_expires_at = None
    appointment.cancelation_reason = reason if status == Appointment.Status.CANCELLED else None
    save(appointment, now)
    audit(as_ if status == "cancelled" else status, appointment, caller=caller, now=now)
    if was_promised:
        encounters.follow(appointment, now=now)
        tell = tell and status == Appointment.Status.CANCELLED
        notifications.cancelled(appointment, now=now, tell=tell, undoable=can_be_undone(appointment, caller))
    return appointment


def can_be_undone(appointment: Appointment, caller: Caller) -> bool:
    """True if the caller has the staff's pages, which offer for a moment to undo what was done to a visit."""
    return caller.user is not None and not caller.client and access.is_exempt_from_cutoffs(caller, appointment)


def step(appointment: Appointment, *, caller: Caller, now: datetime, as_: str = "") -> Appointment:
    """Write a locked appointment with its new status; its Encounter comes along."""
    save(appointment, now)
    audit(as_ or appointment.status, appointment, caller=caller, now=now)
    encounters.follow(appointment, now=now)
    return appointment


def fulfil_requirements(
    appointment: Appointment, *, now: datetime, override: str = "", just_made: bool = False
) -> None:
    """Raise RuleBroken with all that the service requires and the patient lacks; what they answered is the visit's.

    An `override` with a reason lifts it. Needs `lock_patient`, or two visits could take the same answers.
    """
    issues = requirements.unmet(appointment, now=now, just_made=just_made)
    if issues and not override:
        raise RuleBroken(issues=issues)
    requirements.attach_answers(appointment, now=now)


def locked(appointment_id: str, caller: Caller, version: Versions | None = None) -> Appointment:
    """The appointment, if the caller may change it, locked until we commit; at `version` if one is named."""
    pk = access.changeable_appointment(caller, appointment_id).pk
    appointment = (
        Appointment.objects.select_for_update(no_key=True, of=("self",)).select_related("service", "patient").get(pk=pk)
    )
    if not has_version(appointment, version):
        raise VersionConflict
    return appointment


def audit(use_case: str, appointment: Appointment, *, caller: Caller, now: datetime, reason: str = "") -> None:
    """One line in the same transaction: who did what to which appointment, and why they overrode a rule."""
    insert([audit_line(use_case, appointment, caller=caller, now=now, reason=reason)])


def audit_line(
    use_case: str, appointment: Appointment, *, caller: Caller, now: datetime, reason: str = ""
) -> AuditEvent:
    """The line of `audit`, not written yet."""
    return AuditEvent(
        recorded=now,
        last_updated=now,
        action=AuditEvent.Action.CREATE if use_case in CREATES else AuditEvent.Action.UPDATE,
        subtype=use_case,
        user=caller.user,
        client=_client(caller),
        reason=reason,
        appointment=appointment,
        patient_id=appointment.patient_id,
    )


def _client(caller: Caller) -> str:
    """The software that acted, or how somebody came who has not signed in."""
    if caller.client or caller.user:
        return caller.client
    return "manage link" if caller.visit else "guest"


def save(appointment: Appointment, now: datetime) -> None:
    """Write a locked appointment as its next version."""
    appointment.version += 1
    appointment.last_updated = now
    appointment.save()


def may_become(appointment: Appointment, status: str) -> None:
    if status not in TRANSITIONS[appointment.status]:
        raise IllegalTransition(appointment.status, status)


def not_too_early(
    appointment: Appointment, status: str, *, caller: Caller, now: datetime, at: str = "Appointment.status"
) -> None:
    """Raise RuleBroken where software says of a visit to come that it has begun, is over or was missed.

    `at` is the element that says so.
    """
    start = appointment.start
    if not caller.client or status not in ON_ITS_DAY or start is None or start <= now:
        return
    if status == Appointment.Status.NOSHOW or requirements.day_of(appointment, now) < requirements.day_of(appointment):
        raise RuleBroken(f"This visit is still to come: it cannot be {status} yet.", expression=at)


def not_anothers(hold: Appointment, *, caller: Caller) -> None:
    """Raise TimeTaken where software would confirm the hold of other software or of somebody else."""
    if caller.client and hold.hold_expires_at is not None and not is_holder(hold, caller):
        raise TimeTaken("Somebody else holds this time.")


def is_holder(hold: Appointment, caller: Caller) -> bool:
    """True if it is the same software, for the same person, that took the hold."""
    took = AuditEvent.objects.filter(appointment=hold, subtype="hold").values_list("client", "user")
    user = caller.user.pk if caller.user else None
    return all(each == (caller.client, user) for each in took)


def not_expired(appointment: Appointment, now: datetime) -> None:
    if appointment.hold_expires_at is not None and appointment.hold_expires_at <= now:
        raise HoldExpired


def within_notice(appointment: Appointment, caller: Caller, now: datetime, done: str) -> None:
    if appointment.start is None or appointment.service is None or access.is_exempt_from_cutoffs(caller, appointment):
        return
    notice = appointment.service.cancellation_notice
    if now > appointment.start - notice:
        text = (TOO_LATE if notice else BEGUN)[done]
        raise RuleBroken(text % {"hours": f"{notice.total_seconds() / 3600:g}"})


def declined(participant: Json) -> Json:
    return {**participant, "status": "declined"} if is_patient(participant) else participant


def is_patient(participant: Json) -> bool:
    return str(participant.get("actor", {}).get("reference")).startswith("Patient/")
