"""A proposed Appointment with an id: the same when it is found and when it comes back by its id."""

from collections.abc import Sequence

from api.profiled import APPOINTMENT_PROFILES, contained_slots, participants, service_types
from api.proposal_ids import SearchFacts
from api.proposals import instant_text, slot_references
from clinic.fhir.datatypes import Json
from clinic.fhir.visit_types import APPOINTMENT_TYPE, Coding, visit_types
from clinic.models import HealthcareService, Patient
from scheduling.availability import Offering

# What a visit goes on to say once it is held or booked.
LASTING = ("serviceType", "specialty", "appointmentType", "supportingInformation", "reasonCode", "basedOn", "meta")


class Writer:
    """Writes proposals of one answer. What they share is made once."""

    def __init__(self) -> None:
        self._visit_types: dict[HealthcareService, list[str]] = {}
        self._shared: dict[tuple[HealthcareService, tuple[Offering, ...], Coding], Json] = {}

    def visit_types(self, service: HealthcareService) -> list[str]:
        if service not in self._visit_types:
            self._visit_types[service] = visit_types(service.type)
        return self._visit_types[service]

    def write(
        self,
        fhir_id: str,
        search: SearchFacts,
        service: HealthcareService,
        offerings: tuple[Offering, ...],
        start: int,
        patient: Patient | None,
    ) -> Json:
        key = service, offerings, search.appointment_type
        if key not in self._shared:
            self._shared[key] = _shared(service, offerings, search, patient)
        duration = offerings[0].rules.duration
        slots = contained_slots(offerings, start)
        return {
            "resourceType": "Appointment",
            "id": fhir_id,
            **self._shared[key],
            "start": instant_text(start),
            "end": instant_text(start + duration),
            "contained": slots,
            "slot": slot_references(offerings),
        }


def _shared(
    service: HealthcareService, offerings: Sequence[Offering], search: SearchFacts, patient: Patient | None
) -> Json:
    """All but the id and the times."""
    devices = [each for each in offerings if each.actor.startswith("Device/")]
    appointment: Json = {
        "meta": {"profile": list(APPOINTMENT_PROFILES)},
        "status": "proposed",
        "serviceType": service_types(service),
        "specialty": service.specialty,
        "appointmentType": appointment_type(search.appointment_type),
        "minutesDuration": offerings[0].rules.duration // 60,
        "participant": participants(offerings, patient, "needs-action"),
        "supportingInformation": [{"reference": each.actor, "display": each.actor_name} for each in devices],
        "requestedPeriod": [{"start": instant_text(search.start), "end": instant_text(search.end)}],
        **search.kept,
    }
    return {name: value for name, value in appointment.items() if value}


def appointment_type(coding: Coding) -> Json:
    system, code = coding
    display = {"display": code.replace("-", " ").title()} if system == APPOINTMENT_TYPE else {}
    return {"coding": [{"system": system, "code": code, **display}]}
