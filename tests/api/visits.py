"""Requests and responses of the operations on visits."""

from datetime import datetime
from typing import Any

from clinic.fhir.datatypes import Json, instant
from clinic.models import Appointment
from tests.scheduling.situations import monday, run_out

FIND = "Appointment/$find"
HOLD = "Appointment/$hold"
BOOK = "Appointment/$book"


def find_query(
    service: Any, *schedules: Any, start: datetime | None = None, end: datetime | None = None, **more: Any
) -> Json:
    """The query of a $find, over the Monday of the week after next unless told otherwise."""
    query = {
        "start": instant(start or monday(0)),
        "end": instant(end or monday(0, days=1)),
        "service-type-reference": service.reference,
        **more,
    }
    named = [each if isinstance(each, str) else each.reference for each in schedules]
    return {**query, "schedule": named} if named else query


def found(api: Any, service: Any, *schedules: Any, **more: Any) -> list[Json]:
    """The proposals of a $find."""
    answer = api.get(FIND, find_query(service, *schedules, **{"_count": 1000, **more}))
    assert answer.status_code == 200, answer.fhir
    return [entry["resource"] for entry in answer.fhir["entry"] if entry["search"]["mode"] == "match"]


def proposal(api: Any, service: Any, *schedules: Any, at: datetime | None = None, patient: Any = None) -> Json:
    """The proposal of $find for one time, ten o'clock unless another is given, with the patient in it."""
    start = instant(at or monday(10))
    appointment = next(each for each in found(api, service, *schedules) if each["start"] == start)
    if patient is not None:
        appointment["participant"].append({"actor": {"reference": patient.reference}, "status": "accepted"})
    return appointment


def starts(proposals: list[Json]) -> list[str]:
    return [each["start"] for each in proposals]


def visit(answer: Any) -> Json:
    """The Appointment of a response that is a Bundle."""
    appointment: Json = answer.fhir["entry"][0]["resource"]
    return appointment


def slots(answer: Any) -> list[Json]:
    return [entry["resource"] for entry in answer.fhir["entry"][1:]]


def issues_of(answer: Any) -> set[tuple[str, str]]:
    """The text and the expression of each issue of an OperationOutcome."""
    return {(issue["details"]["text"], issue.get("expression", [""])[0]) for issue in answer.fhir["issue"]}


def expire(fhir_id: str) -> None:
    """Let the hold expire, as if its ten minutes had passed."""
    run_out(Appointment.objects.get(fhir_id=fhir_id))
