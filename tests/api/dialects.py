"""Requests and responses of the operations of Argonaut Scheduling and IHE."""

from typing import Any

from clinic.fhir.datatypes import Json, instant
from tests.api.visits import FIND
from tests.scheduling.situations import monday

VISIT_TYPE = "http://fhir.org/guides/argonaut-scheduling/CodeSystem/visit-type"
SNOMED = "http://snomed.info/sct"
DERMATOLOGY = {"coding": [{"system": SNOMED, "code": "394582007", "display": "Dermatology"}]}
OFFICE_VISIT = {"coding": [{"system": SNOMED, "code": "11429006", "display": "Consultation"}]}


def window(**more: Any) -> Json:
    """The query of a search over the Monday of the week after next."""
    return {"start": instant(monday(0)), "end": instant(monday(0, days=1)), **more}


def matches(answer: Any) -> list[Json]:
    assert answer.status_code in (200, 201), answer.fhir
    return [each["resource"] for each in answer.fhir["entry"] if each["search"]["mode"] == "match"]


def outcome(answer: Any) -> Json:
    """The OperationOutcome that every Bundle ends with."""
    last = answer.fhir["entry"][-1]
    assert last["search"] == {"mode": "outcome"}
    resource: Json = last["resource"]
    return resource


def issues(answer: Any) -> list[tuple[str, str]]:
    return [(each["severity"], each["code"]) for each in outcome(answer)["issue"]]


def notes(answer: Any) -> str:
    return " ".join(each["details"]["text"] for each in outcome(answer)["issue"])


def found(api: Any, **criteria: Any) -> list[Json]:
    """Return all proposals for the day."""
    return matches(api.get(FIND, window(**{"_count": 1000, **criteria})))


def offer(api: Any, hour: int = 10, **criteria: Any) -> Json:
    """The proposal for that hour."""
    return next(each for each in found(api, **criteria) if each["start"] == instant(monday(hour)))


def parameters(**values: Any) -> Json:
    """Return a Parameters resource; underscores in names become hyphens, resources and lists stay as they are."""
    given = [
        (name.replace("_", "-"), each)
        for name, value in values.items()
        for each in (value if isinstance(value, list) else [value])
    ]
    return {"resourceType": "Parameters", "parameter": [_parameter(name, value) for name, value in given]}


def _parameter(name: str, value: Any) -> Json:
    if not isinstance(value, dict):
        return {"name": name, "valueString": value}
    kind = "resource" if "resourceType" in value else "valueTiming" if "repeat" in value else "valueReference"
    return {"name": name, kind: value}


def reference(appointment: Json) -> str:
    return f"Appointment/{appointment['id']}"
