"""Why a visit is off: R4's `cancelationReason`, and the extension of Argonaut and IHE that says the same.

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
# The guides' codes, and R4's for the same: two of the guides can be one of R4's.
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
    """The Appointment with its reason as element and as extension, where it has only one and the codes correspond."""
    others, said = split(appointment.get("extension"))
    reason = appointment.get("cancelationReason")
    if said and reason is None and isinstance(concept := said[-1].get("valueCodeableConcept"), dict):
        reason = _with_coding(concept, SYSTEMS, (CANCELLATION_REASON,), CODES) or concept
    elif reason is not None and not said and (told := _with_coding(reason, (CANCELLATION_REASON,), SYSTEMS, BACK)):
        said = [{"url": EXTENSIONS[0], "valueCodeableConcept": told}]
    extension = [*others, *said[-1:]]
    reasons = {"cancelationReason": reason, "extension": extension}
    return {**appointment, **{name: value for name, value in reasons.items() if value}}


def split(extensions: Any) -> tuple[list[Json], list[Json]]:
    """Other extensions, and those that say the reason."""
    every = extensions if isinstance(extensions, list) else []
    said = [each for each in every if isinstance(each, dict) and each.get("url") in EXTENSIONS]
    return [each for each in every if each not in said], said


def _with_coding(concept: Any, systems: tuple[str, ...], wanted: tuple[str, ...], codes: dict[str, str]) -> Json | None:
    """The concept with a coding of one of the wanted systems, which comes first; None where there is none for it."""
    match concept:
        case {"coding": list(codings)}:
            if any(isinstance(each, dict) and each.get("system") in wanted for each in codings):
                return cast(Json, concept)
            for coding in codings:
                match coding:
                    case {"system": str(system), "code": str(code)} if system in systems and code in codes:
                        return {**concept, "coding": [{"system": wanted[0], "code": codes[code]}, *codings]}
    return None
