"""The reason of a cancellation: R4's `cancelationReason`, and the equivalent extension of Argonaut and IHE.

https://hl7.org/fhir/R4/valueset-appointment-cancellation-reason.html,
http://fhir.org/guides/argonaut-scheduling/StructureDefinition/extension-status-reason
"""

from typing import Any, cast

from clinic.fhir.codes import CANCELLATION_REASON
from clinic.fhir.datatypes import Json

ARGONAUT = "http://fhir.org/guides/argonaut-scheduling"
IHE = "https://profiles.ihe.net/ITI/Scheduling"
EXTENSIONS = tuple(f"{guide}/StructureDefinition/extension-status-reason" for guide in (ARGONAUT, IHE))
SYSTEMS = tuple(f"{guide}/CodeSystem/status-reason" for guide in (ARGONAUT, IHE))
# The guides' codes with R4's equivalents. Two of the guides' codes can have the same one.
CODES = {
    "abnormal-results": "prov-labs",
    "cms-auth": "oth-cms",
    "deceased": "pat-dec",
    "discharged": "prov-dch",
    "disgruntled": "pat-ucp",
    "equip-unavail": "maint",
    "financial": "oth-fin",
    "hospitalized": "prov-hosp",
    "improper-iv": "oth-iv",
    "improved": "pat-fb",
    "interpreter-unavail": "oth-int",
    "meeting": "prov-edu",
    "moved": "pat-mv",
    "new-provider": "pat-ucp",
    "other": "other",
    "patient-cancel": "pat",
    "personal": "prov-pers",
    "plan-changes": "prov-onc",
    "pregnant": "pat-preg",
    "prep-incomplete": "meds-inc",
    "prep-unavail": "oth-mu",
    "room-unavial": "oth-room",  # spelt so by both guides
    "scheduling-error": "oth-oerr",
    "staff-cancel": "prov",
    "terminated": "pat-mt",
    "transportation": "pat-lt",
    "wait-list": "pat-swl",
    "walk-in-error": "oth-swie",
    "weather": "oth-weath",
}
BACK = {"pat-crs": "patient-cancel", "pat-cpp": "patient-cancel", "oth-err": "scheduling-error"} | {
    theirs: code for code, theirs in reversed(CODES.items())
}


def said_both_ways(appointment: Json) -> Json:
    """Return the Appointment with its reason as element and as extension, if it has one and the codes correspond."""
    others, extensions = split(appointment.get("extension"))
    reason = appointment.get("cancelationReason")
    if extensions and reason is None and isinstance(concept := extensions[-1].get("valueCodeableConcept"), dict):
        reason = _with_coding(concept, SYSTEMS, (CANCELLATION_REASON,), CODES) or concept
    elif (
        reason is not None and not extensions and (coded := _with_coding(reason, (CANCELLATION_REASON,), SYSTEMS, BACK))
    ):
        extensions = [{"url": EXTENSIONS[0], "valueCodeableConcept": coded}]
    extension = [*others, *extensions[-1:]]
    reasons = {"cancelationReason": reason, "extension": extension}
    return {**appointment, **{name: value for name, value in reasons.items() if value}}


def split(extensions: Any) -> tuple[list[Json], list[Json]]:
    """Return the other extensions, and those with a reason."""
    listed = extensions if isinstance(extensions, list) else []
    reasons = [extension for extension in listed if isinstance(extension, dict) and extension.get("url") in EXTENSIONS]
    return [extension for extension in listed if extension not in reasons], reasons


def _with_coding(concept: Any, systems: tuple[str, ...], target: tuple[str, ...], codes: dict[str, str]) -> Json | None:
    """Return the concept with a coding of a target system, translated if it has none; None if it cannot be."""
    match concept:
        case {"coding": list(codings)}:
            if any(isinstance(coding, dict) and coding.get("system") in target for coding in codings):
                return cast(Json, concept)
            for coding in codings:
                match coding:
                    case {"system": str(system), "code": str(code)} if system in systems and code in codes:
                        return {**concept, "coding": [{"system": target[0], "code": codes[code]}, *codings]}
    return None
