"""A request for $hold or $book as Argonaut Scheduling or IHE define it, and the rows that it names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from django.db.models import QuerySet

from api.operations.argonaut.client_appointment import ClientAppointment, read_client_appointment
from api.operations.argonaut.proposals import Proposal, read_proposal
from api.operations.argonaut.references import ReferenceTarget, find_rows, reference_target
from api.operations.dialects import BARE, Dialect
from api.operations.ids import read_proposal_id
from api.operations.parameters import Inputs, Reader, resource
from api.operations.write_view import add_alternatives, relocated
from clinic.fhir.codes import PREVIOUS_APPOINTMENT
from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement
from clinic.models import Appointment, HealthcareService, Patient
from scheduling import access
from scheduling.access import Caller
from scheduling.availability import Offering
from scheduling.errors import Issue, NotFound, RuleBroken, SchedulingError
from scheduling.interactions import SeveralMatch, registration
from scheduling.versions import Versions

ONE_RESOURCE = "Register the patients of a group first, and name each with patient-id."


@dataclass(frozen=True)
class BookingParameters:
    """The parameters. `named` or `appointment` is the Appointment; `at` is the parameter that has it."""

    named: ReferenceTarget | None
    appointment: Json | None
    at: str
    patients: Sequence[ReferenceTarget]
    patient_resources: Sequence[Json]
    comment: str
    replaced: ReferenceTarget | None

    @property
    def target(self) -> ReferenceTarget:
        """The reference to the Appointment: the one named, or the id of the sent resource."""
        return self.named or ReferenceTarget("Appointment", str((self.appointment or {}).get("id", "")))


def read_booking_parameters(
    inputs: Inputs, dialect: Dialect, fhir_id: str, holds: bool, base: str
) -> BookingParameters:
    """Read the parameters; `fhir_id` is the id in the URL. Raises with every problem."""
    inputs.rename({BARE: dialect.by_resource})
    inputs.only(dialect.value[0 if holds else 1])
    in_address = ReferenceTarget("Appointment", fhir_id) if fhir_id else None
    by_id = inputs.one(dialect.by_id, _appointment(base))
    appointment = inputs.one(dialect.by_resource, resource("Appointment"))
    named = [each for each in (in_address, by_id, appointment) if each]
    if not in_address and not inputs.names & {dialect.by_id, dialect.by_resource}:
        inputs.refuse(f"Name an Appointment with {dialect.by_id}, or bring one as {dialect.by_resource}", dialect.by_id)
    if (appointment is not None and len(named) > 1) or (in_address and by_id and in_address != by_id):
        inputs.refuse("Two Appointments are named: it is one that is held or booked", dialect.by_id)
    parameters = BookingParameters(
        named=in_address or by_id,
        appointment=appointment,
        at=dialect.by_id if appointment is None else dialect.by_resource,
        patients=inputs.every("patient-id", reference_target(base, "Patient")),
        patient_resources=inputs.every("patient-resource", resource("Patient")),
        comment=inputs.one("comment", _text) or "",
        replaced=inputs.one("cancelled-appt-id", _appointment(base)),
    )
    inputs.finish()
    return parameters


def _appointment(base: str) -> Reader[ReferenceTarget]:
    """Return the reader of `Appointment/[id]`, an id alone, or an identifier."""
    read = reference_target(base, "Appointment")

    def read_one(value: Any) -> ReferenceTarget:
        is_alone = isinstance(value, str) and value and "/" not in value
        return read(f"Appointment/{value}" if is_alone else value)

    return read_one


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidElement("Not a string")
    return value


@dataclass(frozen=True)
class ArgonautRequest:
    """One request. Its parameters are read on first use, so not for a repeated request."""

    inputs: Inputs
    dialect: Dialect
    named: str
    holds: bool
    caller: Caller
    now: datetime
    base: str
    version: Versions | None

    @cached_property
    def parameters(self) -> BookingParameters:
        return read_booking_parameters(self.inputs, self.dialect, self.named, self.holds, self.base)

    @cached_property
    def existing(self) -> Appointment | None:
        """The hold or visit that the request names, if the caller may see it."""
        target = self.parameters.target
        if not (target.fhir_id or target.identifier):
            return None
        rows = access.visible(Appointment, self.caller, "rus").select_related("service", "patient")
        found: list[Appointment] = find_rows(rows, [target])
        if len(found) > 1:
            raise SeveralMatch("Several Appointments have this identifier.", expression=self.at)
        return found[0] if found else None

    @cached_property
    def proposal(self) -> Proposal | None:
        """The proposal that the request names. Raises NotFound if its id is unknown."""
        if self.existing is not None or self.parameters.appointment is not None:
            return None
        fhir_id = self.parameters.target.fhir_id
        facts = read_proposal_id(fhir_id)
        if facts is None:
            text = f"There is no Appointment/{fhir_id}." if fhir_id else "There is no such Appointment."
            raise NotFound(text, expression=self.at)
        return read_proposal(fhir_id, facts, self.patients)

    @cached_property
    def client_appointment(self) -> ClientAppointment:
        """The Appointment that was sent, without the Slots that an existing one has already."""
        assert self.parameters.appointment is not None
        own = {"slot", "id"} if self.existing else set()
        elements = {name: value for name, value in self.parameters.appointment.items() if name not in own}
        return read_client_appointment(elements, self.at, self.base, self.patients)

    @property
    def at(self) -> str:
        """The FHIRPath of the parameter that has the Appointment."""
        return f"Parameters.{self.parameters.at}"

    @property
    def patients(self) -> QuerySet[Patient]:
        """The patients whom the caller may see."""
        return access.visible(Patient, self.caller).filter(deleted_at=None)

    def patients_of(self, known: Sequence[Patient]) -> tuple[Patient, ...]:
        """The patients of the request: named, sent and registered already, known already, or the caller.

        Several can be named. There are none for a Patient resource that is not registered yet: see `registrar`.
        """
        parameters = self.parameters
        if len(parameters.patient_resources) > 1 or (parameters.patients and parameters.patient_resources):
            raise RuleBroken(issues=[Issue("not-supported", ONE_RESOURCE, "Parameters.patient-resource")])
        if parameters.patients:
            return tuple(dict.fromkeys(self._named(target) for target in parameters.patients))
        if parameters.patient_resources:
            found = registration.find(parameters.patient_resources[0], caller=self.caller)
            return (found,) if found else ()
        is_patient = not (self.caller.is_system or self.caller.is_staff or self.holds)
        return tuple(known) or (tuple(self.caller.patients.values())[:1] if is_patient else ())

    def _named(self, target: ReferenceTarget) -> Patient:
        found: list[Patient] = find_rows(self.patients, [target])
        if not found:
            raise NotFound("There is no such Patient.", expression="Parameters.patient-id")
        return found[0]

    def registrar(self, patients: Sequence[Patient]) -> Callable[[], Patient] | None:
        """Return the function that registers the Patient resource; None without one, or if it is of `patients`."""
        if patients or not self.parameters.patient_resources:
            return None
        [patient_resource] = self.parameters.patient_resources
        return partial(registration.register, patient_resource, caller=self.caller, now=self.now, base=self.base)

    def is_for(self, patients: Sequence[Patient], known: Sequence[Patient] = ()) -> bool:
        """True if the request is for these patients. `known` are those that its Appointment names, if any."""
        found = self.patients_of(known or patients)
        return set(found) == set(patients) and self.registrar(found) is None

    def extensions(self, patient: Patient | None) -> tuple[Json, ...]:
        """Return the extension with the cancelled visit that this one replaces."""
        if self.parameters.replaced is None:
            return ()
        before = next(iter(find_rows(access.visible(Appointment, self.caller), [self.parameters.replaced])), None)
        at = "Parameters.cancelled-appt-id"
        if before is None:
            raise NotFound("There is no such Appointment.", expression=at)
        if before.status != Appointment.Status.CANCELLED:
            raise RuleBroken("Cancel the old appointment before you book another in its place.", expression=at)
        if patient is None or before.patient_id != patient.pk:
            raise RuleBroken("The old appointment is another patient's.", expression=at)
        return ({"url": PREVIOUS_APPOINTMENT, "valueReference": {"reference": before.reference}},)

    def explainer(
        self, service: HealthcareService, offerings: Sequence[Offering], start: datetime
    ) -> Callable[[SchedulingError], None]:
        """Return the function that adds parameter names and nearest times to a refusal."""
        places = {each.reference: self.at for each in offerings}
        places["Appointment.participant"] = f"{self.at}.participant"

        def explain(refusal: SchedulingError) -> None:
            refusal.issues = relocated(refusal.issues, places)
            add_alternatives(refusal, service, offerings, start, now=self.now, at=self.at)

        return explain
