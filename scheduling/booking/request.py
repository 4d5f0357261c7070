"""What is asked of a booking."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from clinic.models import HealthcareService, Patient
from scheduling.availability import Offering

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class BookingRequest:
    """A visit at `start` on all of `offerings`, or on none.

    `participants` are FHIR participants as a client sent them; without any, they are made from the schedules' actors
    and the patient. `requested` is the window that was searched. `override` is the reason why who runs the calendar
    does what its rules do not allow; time that is taken stays taken. Without `tell` the patient is not told. `extra`
    holds other elements of the Appointment.
    """

    service: HealthcareService
    offerings: tuple[Offering, ...]
    start: datetime
    patient: Patient | None = None
    participants: tuple[Json, ...] = ()
    identifiers: tuple[Json, ...] = ()
    comment: str = ""
    requested: tuple[datetime, datetime] | None = None
    override: str = ""
    tell: bool = True
    extra: Json = field(default_factory=dict)

    @property
    def end(self) -> datetime:
        return self.start + timedelta(seconds=self.offerings[0].rules.duration)


def participants_of(offerings: tuple[Offering, ...], patient: Patient | None, status: str) -> list[Json]:
    """The actors of a visit. Devices stay off the list, as the IHE and Argonaut profiles demand."""
    people = [
        {
            "actor": {"reference": offering.actor, "display": offering.actor_name},
            "required": "required",
            "status": status,
        }
        for offering in offerings
        if not offering.actor.startswith("Device/")
    ]
    if patient is not None:
        actor = {"reference": patient.reference, "display": str(patient)}
        people.append({"actor": actor, "required": "required", "status": "accepted"})
    return people
