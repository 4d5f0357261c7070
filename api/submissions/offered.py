"""An Appointment of ours that is asked for by its id: as it was proposed."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from api.profiled import participants
from api.proposal_ids import Proposed
from api.proposed import LASTING, Writer
from clinic.fhir.datatypes import Json
from clinic.models import HealthcareService, Patient
from clinic.models.statements import find
from scheduling import availability
from scheduling.availability import Offering
from scheduling.booking import BookingRequest
from scheduling.errors import NotFound


@dataclass(frozen=True)
class Offered:
    """A proposal with its rows, as they are by now. `json` is what $find said of it."""

    fhir_id: str
    proposed: Proposed
    service: HealthcareService
    offerings: tuple[Offering, ...]
    patient: Patient | None
    json: Json

    @property
    def start(self) -> datetime:
        return availability.as_datetime(self.proposed.start)


def read_offered(fhir_id: str, proposed: Proposed, patients: QuerySet[Patient]) -> Offered:
    """`patients` are those whom it may be for.

    Raises NotFound where what was proposed is no more, or is for another, RuleBroken where it is closed by now.
    """
    service = find(HealthcareService, "id", proposed.service)
    whose = proposed.search.patient
    patient = patients.filter(pk=whose).first() if whose else None
    if service is None or (whose and patient is None):
        raise NotFound(f"There is no Appointment/{fhir_id}.")
    offerings = tuple(availability.offerings_by_key(service, proposed.schedules))
    json = Writer().write(fhir_id, proposed.search, service, offerings, proposed.start, patient)
    return Offered(fhir_id, proposed, service, offerings, patient, json)


def request_for(
    offered: Offered, patient: Patient | None, status: str, *, comment: str = "", extensions: tuple[Json, ...] = ()
) -> BookingRequest:
    """The proposal as a visit that comes to be under its id; `status` is that of everybody who takes part."""
    search = offered.proposed.search
    kept = {name: offered.json[name] for name in LASTING if name in offered.json}
    return BookingRequest(
        service=offered.service,
        offerings=offered.offerings,
        start=offered.start,
        patient=patient or offered.patient,
        participants=tuple(participants(offered.offerings, patient or offered.patient, status)),
        comment=comment,
        requested=(availability.as_datetime(search.start), availability.as_datetime(search.end)),
        extra={**kept, "extension": list(extensions)} if extensions else kept,
        fhir_id=offered.fhir_id,
    )
