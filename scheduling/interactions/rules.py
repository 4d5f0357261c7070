"""Rules for resources that depend on other rows."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from clinic.fhir.resources import Draft, References
from clinic.fhir.topics import TOPICS
from clinic.models import Appointment, Coverage, Encounter, QuestionnaireResponse, Subscription
from scheduling import access, booking, questionnaires, requirements
from scheduling.access import Caller
from scheduling.errors import Issue, RuleBroken
from scheduling.interactions.entries import Json

Status = QuestionnaireResponse.Status
STATUSES_FOR_PATIENTS = (Status.IN_PROGRESS, Status.COMPLETED, Status.AMENDED)
# The status of an Appointment that the status of its Encounter implies.
APPOINTMENT_STATUS = {
    Encounter.Status.ARRIVED: Appointment.Status.ARRIVED,
    Encounter.Status.TRIAGED: Appointment.Status.CHECKED_IN,
    Encounter.Status.IN_PROGRESS: Appointment.Status.CHECKED_IN,
    Encounter.Status.ON_LEAVE: Appointment.Status.CHECKED_IN,
    Encounter.Status.FINISHED: Appointment.Status.FULFILLED,
}
OVER = (Appointment.Status.CANCELLED, Appointment.Status.ENTERED_IN_ERROR)


def completed(kind: str, resource: Json, caller: Caller, refs: References) -> Json:
    """The resource with defaults: a Coverage without a beneficiary is for the token's patient.

    Raises RuleBroken if the patient is ambiguous.
    """
    if kind != "Coverage" or _names_somebody(resource.get("beneficiary")):
        return resource
    patients = access.patients_of(caller)
    if len(patients) != 1:
        text = "Say whose coverage it is: beneficiary is a reference such as Patient/123."
        raise RuleBroken(issues=[Issue("required", text, "Coverage.beneficiary")])
    refs.add(patients[0].reference, patients[0].pk)
    return {**resource, "beneficiary": {"reference": patients[0].reference}}


def check(kind: str, draft: Draft, row: Any, *, caller: Caller, now: datetime) -> None:
    """Raise RuleBroken if a row, or a new one (None), may not have the values of the draft, regardless of the
    caller.
    """
    if kind == Coverage.RESOURCE_TYPE:
        draft.fields.update(_verification(draft.fields, row, caller))
    if kind in RULES:
        RULES[kind](draft.fields, row, caller, now)


def _names_somebody(reference: Any) -> bool:
    return not isinstance(reference, dict | None) or bool(reference and "reference" in reference)


def _check_coverage(fields: Mapping[str, Any], row: Coverage | None, caller: Caller, now: datetime) -> None:
    """Raise RuleBroken if a Coverage that visits rely on would change its beneficiary or type."""
    changed = [] if row is None else [name for name in ("beneficiary_id", "type") if getattr(row, name) != fields[name]]
    if row is None or not changed or not _is_in_use(row):
        return
    text = "Visits rest on this Coverage: its {0} cannot change. Make another one, and end this one's period."
    names = [name.removesuffix("_id") for name in changed]
    raise RuleBroken(issues=[Issue("business-rule", text.format(name), f"Coverage.{name}") for name in names])


def _verification(fields: Mapping[str, Any], row: Coverage | None, caller: Caller) -> dict[str, Any]:
    """The columns of the clinic's check: as the clinic writes them; as they were for a patient, who has changed nothing
    of the card, and else unset.
    """
    if access.may_verify_coverage(caller):
        return {}
    is_same = row is not None and all(getattr(row, name) == fields[name] for name in Coverage.CARD)
    if row is not None and is_same:
        return {"verification": row.verification, "verification_reason": row.verification_reason}
    return {"verification": Coverage.Verification.DECLARED, "verification_reason": ""}


def _is_in_use(coverage: Coverage) -> bool:
    named = {"supportingInformation": [{"reference": coverage.reference}]}
    visits = Appointment.objects.filter(patient=coverage.beneficiary_id, extra__contains=named, deleted_at=None)
    return visits.exclude(status__in=OVER).exists()


def _check_response(fields: Mapping[str, Any], row: Any, caller: Caller, now: datetime) -> None:
    if row is None:
        return
    if row.deleted_at is not None or any(getattr(row, name) != value for name, value in fields.items()):
        raise RuleBroken("An answer that was given stays. Create another AppointmentResponse.")


def _check_encounter(fields: Mapping[str, Any], row: Encounter | None, caller: Caller, now: datetime) -> None:
    """Raise RuleBroken if the Encounter of a future visit would be under way or finished."""
    status = APPOINTMENT_STATUS.get(fields["status"])
    if status is None or fields["appointment_id"] is None:
        return
    if row is None or (row.status, row.appointment_id) != (fields["status"], fields["appointment_id"]):
        visit = Appointment.objects.select_related("service").get(pk=fields["appointment_id"])
        booking.require_day_reached(visit, status, caller=caller, now=now, at="Encounter.status")


def _check_answers(fields: Mapping[str, Any], row: QuestionnaireResponse | None, caller: Caller, now: datetime) -> None:
    """Raise RuleBroken for patients' answers that the pages would refuse too. Software and staff are not checked."""
    if access.is_unbound(caller):
        return
    if fields["status"] not in STATUSES_FOR_PATIENTS:
        text = f"Patients send what is {', '.join(STATUSES_FOR_PATIENTS)}."
        raise RuleBroken(text, expression="QuestionnaireResponse.status")
    if row is not None and row.appointment_id not in (None, fields["appointment_id"]):
        raise RuleBroken("Answers stay with their visit.", expression="QuestionnaireResponse.extension")
    visits = [fields["appointment_id"]] if fields["appointment_id"] else []
    for visit in Appointment.objects.filter(pk__in=visits):
        if visit.patient_id != fields["patient_id"]:
            raise RuleBroken("The visit is another patient's.", expression="QuestionnaireResponse.subject")
        if not requirements.accepts_answers(visit, now=now):
            raise RuleBroken(_("These questions can no longer be answered. Please call the clinic."))
    if fields["status"] != Status.IN_PROGRESS and fields["questionnaire_id"] is not None:
        _check_complete(fields)


def _check_complete(fields: Mapping[str, Any]) -> None:
    """Raise RuleBroken if answers sent as complete have gaps or are an alarm."""
    sheet = questionnaires.sheet_of(QuestionnaireResponse(**fields))
    gaps = [f"{each.question}: {each.text}" for each in questionnaires.problems(sheet.enabled)]
    alarms = [node.red_flag for node in sheet.red_flags]
    if gaps or alarms:
        issues = [Issue("business-rule", text, "QuestionnaireResponse.item") for text in (*alarms, *gaps)]
        raise RuleBroken(issues=issues)


def _check_subscription(fields: Mapping[str, Any], row: Subscription | None, caller: Caller, now: datetime) -> None:
    """Raise Forbidden if the caller would not be told of any event of the topic."""
    if topic := TOPICS.get(fields["topic"]):
        access.require_standing(caller, topic.resource)


RULES: dict[str, Callable[[Mapping[str, Any], Any, Caller, datetime], None]] = {
    "Coverage": _check_coverage,
    "AppointmentResponse": _check_response,
    "QuestionnaireResponse": _check_answers,
    "Encounter": _check_encounter,
    "Subscription": _check_subscription,
}
