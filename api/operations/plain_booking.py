"""Appointments that name free Slots, as R4 clients write them: https://hl7.org/fhir/R4/appointment.html

A visit to come is booked, held or requested, under the rules of $book and $hold. A visit that has begun or is over, or
that names no Slots, is recorded as it was sent.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from api.operations.argonaut.client_appointment import chosen_for, read_client_appointment, stored_keys
from api.operations.parameters import moment
from api.operations.proposals import are_contained, client_elements, with_missing_participants, without_slots
from api.operations.write_view import add_alternatives, relocated
from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement
from clinic.fhir.resources import InvalidResource, References, ResourceIssue
from clinic.models import Appointment, Patient
from scheduling import access, availability
from scheduling.access import Caller
from scheduling.booking import BookingRequest
from scheduling.errors import Invalid, NotFound, SchedulingError

STATUSES = ("booked", "pending", "proposed")
AT = "Appointment"


@dataclass
class AppointmentBooker:
    """The reader of the Appointments of one request, for scheduling.interactions. `last` is the one read last."""

    caller: Caller
    base: str
    now: datetime
    last: BookingRequest | None = field(default=None, init=False)

    def __call__(self, resource: Json, fhir_id: str) -> BookingRequest | None:
        """Return the booking request of a new Appointment; None for one that is recorded.

        Raises InvalidResource if it names unknown resources, and what a booking raises.
        """
        self.last = None
        if not names_slots(resource) or resource.get("status") not in STATUSES or self._has_begun(resource):
            return None
        elements = {name: value for name, value in resource.items() if name != "id"}
        self._check_references(without_slots(elements))
        try:
            self.last = request_for_slots(elements, AT, self.caller, base=self.base, now=self.now, fhir_id=fhir_id)
        except (Invalid, NotFound) as error:
            issues = [ResourceIssue(each.code, each.text, each.expression) for each in error.issues]
            raise InvalidResource(issues) from error
        return self.last

    def explain(self, refusal: SchedulingError) -> None:
        """Add the places in the Appointment and the nearest free times to the refusal of the request read last."""
        if request := self.last:
            refusal.issues = relocated(refusal.issues, slot_places(request, AT))
            add_alternatives(refusal, request.service, request.offerings, request.start, now=self.now, at=f"{AT}.slot")

    def _check_references(self, elements: Json) -> None:
        """Raise InvalidResource if it names a resource that the caller may not refer to, or that does not exist."""
        references = References.load(References.collect([elements]), self.base)
        references.visible_only(partial(access.referable_keys, self.caller)).check(elements)

    def _has_begun(self, resource: Json) -> bool:
        try:
            return "start" in resource and moment(resource["start"]) <= self.now
        except InvalidElement:
            return False  # reading it says what is wrong with it


def names_slots(appointment: Json) -> bool:
    """True if the Appointment refers to Slots that it does not contain."""
    slots = appointment.get("slot")
    return isinstance(slots, list) and bool(slots) and not are_contained(slots)


def request_for_slots(
    appointment: Json, at: str, caller: Caller, *, base: str, now: datetime, fhir_id: str = ""
) -> BookingRequest:
    """Return the booking request of an Appointment that names free Slots. `at` is its FHIRPath.

    Raises with every problem: NotFound, Invalid or RuleBroken.
    """
    patients = access.visible(Patient, caller).filter(deleted_at=None)
    read = read_client_appointment(appointment, at, base, patients)
    chosen = chosen_for(read, caller, now=now)
    patient = read.patient or _own_patient(caller)
    fields = read.draft.fields
    window = fields["requested_start"], fields["requested_end"]
    status = "accepted" if appointment.get("status") == Appointment.Status.BOOKED else "tentative"
    return BookingRequest(
        service=chosen.service,
        offerings=chosen.offerings,
        start=availability.as_datetime(chosen.start),
        patient=patient,
        participants=tuple(with_missing_participants(fields["participant"], chosen.offerings, patient, status)),
        identifiers=tuple(fields["identifier"]),
        comment=fields["comment"],
        requested=window if all(window) else None,
        extra=client_elements(fields["extra"]),
        fhir_id=fhir_id,
        slots=stored_keys(read.slots, chosen.offerings),
    )


def _own_patient(caller: Caller) -> Patient | None:
    """Return the patient who books for themselves, if the caller is one."""
    return None if caller.is_system or caller.is_staff else next(iter(caller.patients.values()), None)


def slot_places(request: BookingRequest, at: str) -> dict[str, str]:
    """Return where in the Appointment at this FHIRPath its schedules and participants are named."""
    schedules = {each.reference: f"{at}.slot" for each in request.offerings}
    return {**schedules, "Appointment.participant": f"{at}.participant"}
