"""Changes of an Appointment: the transitions of its status, checks before a change, saving, and the audit line."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext_lazy as _

from clinic.models import Appointment, AuditEvent, Patient
from clinic.models.statements import insert, update, update_together
from scheduling import access, requirements
from scheduling.access import Caller
from scheduling.booking import encounters, referrals
from scheduling.errors import HoldExpired, IllegalTransition, Issue, RuleBroken, TimeTaken, VersionConflict
from scheduling.participants import is_group, patients_of, visit_of_patient
from scheduling.versions import Versions, has_version

# https://hl7.org/fhir/R4/valueset-appointmentstatus.html, the state diagram of Argonaut Scheduling, and Oracle Health's
# sequences: https://docs.oracle.com/en/industries/health/millennium-platform-apis/mfrap/common_issues.html
TRANSITIONS: dict[str, frozenset[str]] = {
    "proposed": frozenset({"pending", "booked", "waitlist", "cancelled", "entered-in-error"}),
    "waitlist": frozenset({"proposed", "cancelled", "entered-in-error"}),
    "pending": frozenset({"booked", "cancelled", "entered-in-error"}),
    "booked": frozenset({"arrived", "checked-in", "fulfilled", "noshow", "cancelled", "entered-in-error"}),
    "arrived": frozenset({"checked-in", "fulfilled", "noshow", "cancelled", "entered-in-error"}),
    "checked-in": frozenset({"arrived", "fulfilled", "cancelled", "entered-in-error"}),
    "fulfilled": frozenset({"entered-in-error"}),
    "noshow": frozenset({"entered-in-error"}),
    "cancelled": frozenset({"entered-in-error"}),
    "entered-in-error": frozenset(),
}
# The statuses to which staff may correct a step that was recorded by mistake.
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
# Statuses that software may report from the day of the visit on; `noshow` only from its start on.
ON_ITS_DAY = frozenset({"arrived", "checked-in", "fulfilled", "noshow"})
FREES_TIME = frozenset({"cancelled", "entered-in-error"})
CREATES = ("book", "hold", "request", "join")


def step(appointment: Appointment, *, caller: Caller, now: datetime, subtype: str = "") -> Appointment:
    """Write a locked appointment with its new status, and update its Encounters."""
    save(appointment, now, lines_for_all(subtype or appointment.status, appointment, caller=caller, now=now))
    encounters.follow(appointment, now=now, is_correction=subtype == "correct")
    referrals.follow(appointment, now=now, is_correction=subtype == "correct")
    return appointment


def fulfil_requirements(
    appointment: Appointment, *, now: datetime, override: str = "", just_made: bool = False
) -> None:
    """Raise RuleBroken with every requirement of the service that a patient does not meet; attach their answers to
    the visit.

    With the reason `override`, unmet requirements are ignored. Needs `lock_patients`, or two visits could use the same
    answers.
    """
    issues = unmet_requirements(appointment, now=now, just_made=just_made)
    if issues and not override:
        raise RuleBroken(issues=issues)
    requirements.attach_answers(appointment, now=now)


def unmet_requirements(appointment: Appointment, *, now: datetime, just_made: bool = False) -> list[Issue]:
    """An issue for each requirement of the service that one of the patients does not meet."""
    issues = requirements.unmet(appointment, now=now, just_made=just_made)
    if is_group(appointment):
        for patient in patients_of(appointment)[1:]:
            theirs = requirements.unmet(visit_of_patient(appointment, patient), now=now, just_made=just_made)
            issues += [issue for issue in theirs if issue not in issues]
    return issues


def locked(appointment_id: str, caller: Caller, version: Versions | None = None) -> Appointment:
    """The appointment, locked until commit, if the caller may change it and it is at `version`."""
    appointment = access.changeable_appointment(caller, appointment_id, lock=True)
    if not has_version(appointment, version):
        raise VersionConflict
    return appointment


def audit(use_case: str, appointment: Appointment, *, caller: Caller, now: datetime, reason: str = "") -> None:
    """Write one audit line for each patient in this transaction: who did what to the appointment, and the reason for
    overriding a rule.
    """
    insert(lines_for_all(use_case, appointment, caller=caller, now=now, reason=reason))


def lines_for_all(
    use_case: str, appointment: Appointment, *, caller: Caller, now: datetime, reason: str = ""
) -> list[AuditEvent]:
    """The unsaved AuditEvents of `audit`: one for each patient of the appointment."""
    patients = patients_of(appointment) if is_group(appointment) else ()
    return audit_lines(use_case, appointment, patients, caller=caller, now=now, reason=reason)


def audit_lines(
    use_case: str,
    appointment: Appointment,
    patients: Collection[Patient] = (),
    *,
    caller: Caller,
    now: datetime,
    reason: str = "",
) -> list[AuditEvent]:
    """The unsaved AuditEvents of a use case: one for each of the patients, by default the appointment's own."""
    return [
        access.audit_event(
            use_case,
            AuditEvent.Action.CREATE if use_case in CREATES else AuditEvent.Action.UPDATE,
            caller=caller,
            now=now,
            reason=reason,
            appointment=appointment,
            patient_id=patient,
        )
        for patient in (*(patient.pk for patient in patients),) or (appointment.patient_id,)
    ]


def save(appointment: Appointment, now: datetime, lines: Sequence[AuditEvent] = ()) -> None:
    """Write a locked appointment as its next version, together with audit lines, if there are any."""
    appointment.version += 1
    appointment.last_updated = now
    if lines:
        update_together(appointment, lines)
    else:
        update(appointment)


def require_transition(appointment: Appointment, status: str) -> None:
    """Raise IllegalTransition unless the appointment may change to this status."""
    if status not in TRANSITIONS[appointment.status]:
        raise IllegalTransition(appointment.status, status)


def require_day_reached(
    appointment: Appointment, status: str, *, caller: Caller, now: datetime, at: str = "Appointment.status"
) -> None:
    """Raise RuleBroken if software reports that a future visit has begun, is over or was missed.

    `at` is the element that reports it.
    """
    start = appointment.start
    if not caller.client or status not in ON_ITS_DAY or start is None or start <= now:
        return
    if status == Appointment.Status.NOSHOW or requirements.day_of(appointment, now) < requirements.day_of(appointment):
        raise RuleBroken(f"This visit is still to come: it cannot be {status} yet.", expression=at)


def require_own_hold(hold: Appointment, *, caller: Caller) -> None:
    """Raise TimeTaken if software confirms a hold that other software, or another person, made."""
    if caller.client and hold.hold_expires_at is not None and not is_holder(hold, caller):
        raise TimeTaken("Somebody else holds this time.")


def is_holder(hold: Appointment, caller: Caller) -> bool:
    """True if the same software made the hold for the same person."""
    user = caller.user.pk if caller.user else None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT client, user_id FROM clinic_auditevent WHERE appointment_id = %s AND subtype = 'hold'", [hold.pk]
        )
        return all(maker == (caller.client, user) for maker in cursor.fetchall())


def require_no_suggestion(appointment: Appointment) -> None:
    """Raise RuleBroken for a time that the clinic suggested in answer to a request: it is taken by answering that."""
    if appointment.is_suggestion:
        raise RuleBroken(str(_("The clinic suggests this time for a request. Answer that request.")))


def require_not_expired(appointment: Appointment, now: datetime) -> None:
    """Raise HoldExpired if the appointment is a hold that has expired."""
    if appointment.hold_expires_at is not None and appointment.hold_expires_at <= now:
        raise HoldExpired


def require_notice(appointment: Appointment, caller: Caller, now: datetime, done: str) -> None:
    """Raise RuleBroken if it is too late for this caller to move or cancel the visit, or it has begun."""
    if appointment.start is None or appointment.service is None or access.is_exempt_from_cutoffs(caller, appointment):
        return
    notice = appointment.service.cancellation_notice
    if now > appointment.start - notice:
        text = (TOO_LATE if notice else BEGUN)[done]
        raise RuleBroken(text % {"hours": f"{notice.total_seconds() / 3600:g}"})
