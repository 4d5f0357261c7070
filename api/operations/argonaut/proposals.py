"""Proposed Appointments with an id: written by $find, and read again from the id."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from api.operations.argonaut.profiles import APPOINTMENT_PROFILES, service_types
from api.operations.ids import ProposalFacts, SearchFacts
from api.operations.proposals import argonaut_participants, contained_slots, instant_text, slot_references
from clinic.fhir.datatypes import Json
from clinic.fhir.visit_types import Coding, appointment_type, appointment_type_of
from clinic.models import HealthcareService, Patient
from clinic.models.statements import find
from scheduling import availability
from scheduling.availability import Offering
from scheduling.booking import BookingRequest
from scheduling.errors import NotFound

# Elements of a proposal that the held or booked visit keeps.
LASTING = ("serviceType", "specialty", "appointmentType", "supportingInformation", "reasonCode", "basedOn", "meta")


class ProposalWriter:
    """A writer of the proposals of one answer, which makes their common elements once."""

    def __init__(self) -> None:
        self._types: dict[HealthcareService, Coding] = {}
        self._shared: dict[tuple[HealthcareService, tuple[Offering, ...], Coding], Json] = {}

    def appointment_type(self, service: HealthcareService) -> Coding:
        if service not in self._types:
            self._types[service] = appointment_type_of(service.appointment_type, service.type)
        return self._types[service]

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
    """Return all elements except the id and the times."""
    devices = [each for each in offerings if each.actor.startswith("Device/")]
    appointment: Json = {
        "meta": {"profile": list(APPOINTMENT_PROFILES)},
        "status": "proposed",
        "serviceType": service_types(service),
        "specialty": service.specialty,
        "appointmentType": appointment_type(search.appointment_type),
        "minutesDuration": offerings[0].rules.duration // 60,
        "participant": argonaut_participants(offerings, [patient] if patient else (), "needs-action"),
        "supportingInformation": [{"reference": each.actor, "display": each.actor_name} for each in devices],
        "requestedPeriod": [{"start": instant_text(search.start), "end": instant_text(search.end)}],
        **search.kept,
    }
    return {name: value for name, value in appointment.items() if value}


# Reading


@dataclass(frozen=True)
class Proposal:
    """A proposal with its current rows. `json` is the Appointment as $find returned it."""

    fhir_id: str
    facts: ProposalFacts
    service: HealthcareService
    offerings: tuple[Offering, ...]
    patient: Patient | None
    json: Json

    @property
    def start(self) -> datetime:
        return availability.as_datetime(self.facts.start)


def read_proposal(fhir_id: str, facts: ProposalFacts, patients: QuerySet[Patient]) -> Proposal:
    """Return the proposal of an id. `patients` are the possible patients.

    Raises NotFound if the service is gone or the patient is not among `patients`, RuleBroken if a schedule is closed.
    """
    service = find(HealthcareService, "id", facts.service)
    whose = facts.search.patient
    patient = patients.filter(pk=whose).first() if whose else None
    if service is None or (whose and patient is None):
        raise NotFound(f"There is no Appointment/{fhir_id}.")
    offerings = tuple(availability.offerings_by_key(service, facts.schedules))
    json = ProposalWriter().write(fhir_id, facts.search, service, offerings, facts.start, patient)
    return Proposal(fhir_id, facts, service, offerings, patient, json)


@dataclass(frozen=True, kw_only=True)
class BookingDetails:
    """The parameters of a request that are saved with the visit. `status` is that of each participant.

    The visit is of all `patients`; there are none for one who is registered with it, or named later.

    `register` registers the Patient resource of the request, in the transaction of the booking.
    """

    patients: tuple[Patient, ...]
    register: Callable[[], Patient] | None
    status: str
    comment: str = ""
    extensions: tuple[Json, ...] = ()

    @property
    def patient(self) -> Patient | None:
        """The first of the patients, who is the visit's."""
        return next(iter(self.patients), None)


def request_for_proposal(proposal: Proposal, details: BookingDetails) -> BookingRequest:
    """Return the booking request of a proposal, under its id."""
    search = proposal.facts.search
    kept = {name: proposal.json[name] for name in LASTING if name in proposal.json}
    return BookingRequest(
        service=proposal.service,
        offerings=proposal.offerings,
        start=proposal.start,
        patient=details.patient,
        register=details.register,
        participants=tuple(argonaut_participants(proposal.offerings, details.patients, details.status)),
        comment=details.comment,
        requested=(availability.as_datetime(search.start), availability.as_datetime(search.end)),
        extra={**kept, "extension": list(details.extensions)} if details.extensions else kept,
        fhir_id=proposal.fhir_id,
    )
