"""A request for $hold or $book in Argonaut Scheduling's words or in IHE's: what it names, as rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import QuerySet

from api.looking import find_rows
from api.operations.asked import Asked, read_asked
from api.operations.base import add_alternatives, relocated
from api.operations.dialects import Dialect
from api.parameters import Inputs
from api.proposal_ids import read_proposal_id
from api.submissions import offered, wished
from api.submissions.offered import Offered
from api.submissions.wished import ONE_PATIENT, Wish
from clinic.fhir.datatypes import Json
from clinic.models import Appointment, HealthcareService, Patient
from scheduling import access
from scheduling.access import Caller
from scheduling.availability import Offering
from scheduling.errors import Issue, NotFound, RuleBroken, SchedulingError
from scheduling.interactions import SeveralMatch, registration
from scheduling.versions import Versions

PREVIOUS = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.previousAppointment"


@dataclass(frozen=True)
class Wanted:
    """One request. What it asks is read when it is first needed: not if the same was answered before."""

    inputs: Inputs
    dialect: Dialect
    named: str
    holds: bool
    caller: Caller
    now: datetime
    base: str
    version: Versions | None

    @cached_property
    def asked(self) -> Asked:
        return read_asked(self.inputs, self.dialect, self.named, self.holds, self.base)

    @cached_property
    def existing(self) -> Appointment | None:
        """The hold or visit that it is about, if the caller may see it."""
        which = self.asked.which
        if not (which.fhir_id or which.identifier):
            return None
        rows = access.visible(Appointment, self.caller, "rus").select_related("service", "patient")
        found: list[Appointment] = find_rows(rows, [which])
        if len(found) > 1:
            raise SeveralMatch("Several Appointments have this identifier.", expression=self.at)
        return found[0] if found else None

    @cached_property
    def offered(self) -> Offered | None:
        """The proposal that it is about. Raises NotFound where it is about nothing of ours."""
        if self.existing is not None or self.asked.sent is not None:
            return None
        fhir_id = self.asked.which.fhir_id
        proposed = read_proposal_id(fhir_id)
        if proposed is None:
            text = f"There is no Appointment/{fhir_id}." if fhir_id else "There is no such Appointment."
            raise NotFound(text, expression=self.at)
        return offered.read_offered(fhir_id, proposed, self.patients)

    @cached_property
    def wish(self) -> Wish:
        """The Appointment that was sent, as it is to be read. The Slots that it has already are not what it wishes."""
        assert self.asked.sent is not None
        own = {"slot", "id"} if self.existing else set()
        sent = {name: value for name, value in self.asked.sent.items() if name not in own}
        return wished.read_wish(sent, self.at, self.base, self.patients)

    @property
    def at(self) -> str:
        """The place of what said which Appointment."""
        return f"Parameters.{self.asked.at}"

    @property
    def patients(self) -> QuerySet[Patient]:
        """Whom the caller may see. Another patient is not there."""
        return access.visible(Patient, self.caller).filter(deleted_at=None)

    def patient(self, known: Patient | None) -> Patient | None:
        """The patient of the request: named, registered now, known already, or the caller."""
        asked = self.asked
        if len(asked.patients) + len(asked.strangers) > 1:
            name = "patient-id" if asked.patients else "patient-resource"
            raise RuleBroken(issues=[Issue("not-supported", ONE_PATIENT, f"Parameters.{name}")])
        if asked.patients:
            found: list[Patient] = find_rows(self.patients, asked.patients)
            if not found:
                raise NotFound("There is no such Patient.", expression="Parameters.patient-id")
            return found[0]
        if asked.strangers:
            patient, _ = registration.register(asked.strangers[0], caller=self.caller, now=self.now, base=self.base)
            return patient
        is_patient = not (self.caller.is_system or self.caller.is_staff or self.holds)
        return known or (next(iter(self.caller.patients.values()), None) if is_patient else None)

    def extensions(self, patient: Patient | None) -> tuple[Json, ...]:
        """The visit that this one comes in place of: cancelled, and the same patient's."""
        if self.asked.instead_of is None:
            return ()
        before = next(iter(find_rows(access.visible(Appointment, self.caller), [self.asked.instead_of])), None)
        at = "Parameters.cancelled-appt-id"
        if before is None:
            raise NotFound("There is no such Appointment.", expression=at)
        if before.status != Appointment.Status.CANCELLED:
            raise RuleBroken("Cancel the old appointment before you book another in its place.", expression=at)
        if patient is None or before.patient_id != patient.pk:
            raise RuleBroken("The old appointment is another patient's.", expression=at)
        return ({"url": PREVIOUS, "valueReference": {"reference": before.reference}},)

    def may_book(self, service: HealthcareService, offering: Offering) -> bool:
        return access.could_book(self.caller, service, offering.schedule)

    def teller(
        self, service: HealthcareService, offerings: Sequence[Offering], start: datetime
    ) -> Callable[[SchedulingError], None]:
        """Puts what is refused into the words of the request, with times that are nearest."""
        places = {each.reference: self.at for each in offerings}
        places["Appointment.participant"] = f"{self.at}.participant"

        def tell(refusal: SchedulingError) -> None:
            refusal.issues = relocated(refusal.issues, places)
            add_alternatives(refusal, service, offerings, start, now=self.now, at=self.at)

        return tell
