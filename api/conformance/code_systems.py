"""CodeSystems of our own codes, from the models: https://hl7.org/fhir/R4/codesystem.html"""

from collections.abc import Iterable

from api.conformance.definitions import definition
from clinic import service_types
from clinic.fhir import codes
from clinic.fhir.datatypes import Json
from clinic.labels import Choices
from clinic.models import AccessNeed, Event, HealthcareService, Medium, PlaceFeature


def code_systems(base: str) -> list[Json]:
    return [
        _definition(
            codes.ELIGIBILITY,
            "Whom a service is for: people the clinic knows, or not yet.",
            HealthcareService.Eligibility,
        ),
        _definition(codes.ACCESS_NEED, "What a patient needs so that a visit works for them.", AccessNeed),
        _definition(
            codes.PLACE_FEATURE,
            "What a site or a room offers, beside FHIR's codes.",
            [PlaceFeature.INDUCTION_LOOP, PlaceFeature.QUIET],
        ),
        _of_concepts(
            codes.SERVICE_TYPE, "Types of services that the clinic has named itself.", service_types.own_concepts()
        ),
        _definition(codes.EVENT, "What a message is about.", Event),
        _definition(codes.MEDIUM, "Ways of messages that FHIR has no code for.", [Medium.IN_APP]),
        _definition(codes.TASK, "What a Task asks for: `recall`, that a patient is seen again.", ()),
        _definition(codes.USE_CASE, "What was done, in an AuditEvent: `book`, `cancel` and the like.", ()),
    ]


def _definition(url: str, text: str, choices: Iterable[Choices]) -> Json:
    return _of_concepts(url, text, [{"code": choice.value, "display": choice.display} for choice in choices])


def _of_concepts(url: str, text: str, concepts: list[Json]) -> Json:
    code_system: Json = {
        **definition("CodeSystem", url.rpartition("/")[2], url, text),
        "caseSensitive": True,
        "content": "complete" if concepts else "not-present",
    }
    return {**code_system, "concept": concepts} if concepts else code_system
