"""$hold and $book as Argonaut Scheduling and IHE have them: by id or by resource, with refusals of their own.

http://fhir.org/guides/argonaut-scheduling and https://profiles.ihe.net/ITI/Scheduling. A request that
cannot be read or is not allowed gets an error status. A refusal by the rules or the calendar is a Bundle: with the
Appointment as `cancelled` for Argonaut, with only an OperationOutcome for IHE.
"""

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from django.utils.http import http_date
from rest_framework.response import Response

from api.headers import REPLAYED, version_headers
from api.operations.argonaut import changes
from api.operations.argonaut.client_appointment import request_for_appointment
from api.operations.argonaut.profiles import match, profiled, searchset
from api.operations.argonaut.proposals import BookingDetails, Proposal, read_proposal, request_for_proposal
from api.operations.argonaut.request import ArgonautRequest
from api.operations.dialects import Dialect
from api.operations.ids import read_proposal_id
from api.operations.write_view import Answer, Attempt, warnings, written
from clinic.fhir.datatypes import Json
from clinic.models import Appointment, Patient
from scheduling import access, booking
from scheduling.booking import BookingRequest, Once
from scheduling.errors import (
    HoldExpired,
    IllegalTransition,
    Invalid,
    Issue,
    NotFound,
    RuleBroken,
    SchedulingError,
    TimeNotOffered,
    TimeTaken,
)
from scheduling.participants import patients_of

REFUSALS = (TimeTaken, TimeNotOffered, RuleBroken, IllegalTransition, HoldExpired)
NEW, CHANGED, CANCELLED = ("proposed", "pending"), "booked", "cancelled"
STATUS_TEXTS = {
    "pending": "The time is held until the instant in the header Expires.",
    "booked": "The appointment is booked.",
    "cancelled": "The appointment is cancelled.",
}
REQUEST_TEXT = "The appointment is asked for. The clinic answers."


@dataclass(frozen=True)
class ArgonautBooking(ArgonautRequest):
    """A request for $hold or $book, with its use case and its answers."""

    def prepare(self) -> Attempt:
        status: Any = "proposed" if self.parameters.appointment is None else self.parameters.appointment.get("status")
        if status not in (NEW if self.holds else (*NEW, CHANGED, CANCELLED)):
            text = "The status of an Appointment that is taken is 'proposed' or 'pending'"
            more = "" if self.holds else "; it is 'booked' to change one and 'cancelled' to cancel it"
            raise Invalid(f"{text}{more}.", expression=f"{self.at}.status")
        if self.existing is not None:
            return self._with(self.existing, status)
        if status in NEW:
            return self._take()
        raise NotFound(f"There is no such Appointment: {self.parameters.at} names none of ours by its id.")

    def _with(self, existing: Appointment, status: str) -> Attempt:
        if status == CHANGED:
            return changes.change(self, existing)
        if status == CANCELLED:
            return changes.cancel(self, existing)
        return changes.keep(self, existing) if self.holds else changes.confirm(self, existing)

    def _take(self) -> Attempt:
        if self.proposal is not None and self.proposal.facts.is_over(self.now):
            return Attempt(_over)
        patients = self.patients_of(self._known)
        details = BookingDetails(
            patients=patients,
            register=self.registrar(patients),
            status="tentative" if self.holds else "accepted",
            comment=self.parameters.comment,
            extensions=self.extensions(next(iter(patients), None)),
        )
        request: BookingRequest
        if self.proposal is not None:
            request = request_for_proposal(self.proposal, details)
        else:
            request = request_for_appointment(self.client_appointment, details, self.caller, now=self.now)
        take = partial(booking.hold if self.holds else booking.book, request, caller=self.caller, now=self.now)
        return Attempt(lambda once: take(once=once), self.explainer(request.service, request.offerings, request.start))

    @property
    def _known(self) -> tuple[Patient, ...]:
        """The patients that the proposal, or the Appointment that was sent, names."""
        if self.proposal is None:
            return self.client_appointment.patients
        return (self.proposal.patient,) if self.proposal.patient else ()

    # Answering

    def answer(self, appointment: Appointment) -> Answer:
        """Answer 200 to a request by id, 201 to a sent Appointment. A hold has the header Expires."""
        is_new = self.parameters.appointment is not None and self.existing is None
        headers = version_headers(appointment)
        if is_new:
            headers["Location"] = f"{self.base}{appointment.reference}/_history/{appointment.version}"
        if appointment.hold_expires_at:
            headers["Expires"] = http_date(appointment.hold_expires_at.timestamp())
        is_request = appointment.status == "pending" and not appointment.hold_expires_at
        text = REQUEST_TEXT if is_request else STATUS_TEXTS.get(appointment.status, "The appointment is as it was.")
        issues = [Issue("informational", text), *warnings(appointment)]
        body = searchset([_entry(appointment, self.base)], issues)
        return Answer(HTTPStatus.CREATED if is_new else HTTPStatus.OK, body, headers)

    def refused(self, refusal: SchedulingError) -> Response:
        """Answer a refusal by the rules or the calendar: https://hl7.org/fhir/R4/operationoutcome.html"""
        headers = {REPLAYED: "true"} if refusal.repeated else {}
        if self.dialect is Dialect.IHE:
            issues = [Issue("not-found", each.text, each.expression, each.diagnostics) for each in refusal.issues]
            return Response(searchset([], issues, "fatal"), headers=headers)
        return Response(searchset(self._cancelled(refusal), refusal.issues, "error"), headers=headers)

    def _cancelled(self, refusal: SchedulingError) -> list[Json]:
        """Return the Appointment as `cancelled`. A hold that cannot be booked was cancelled with the refusal.

        If the id is that of a visit, or of another's hold, the entry has no id.
        """
        if self.existing is not None:
            if self.existing.status == CANCELLED:
                changes.as_it_is(self, self.existing)
            visit = Appointment.objects.select_related("service", "patient").get(pk=self.existing.pk)
            is_others = isinstance(refusal, TimeTaken) and (self.holds or not booking.is_holder(visit, self.caller))
            if visit.status == CANCELLED:
                return [_entry(access.redacted(visit, self.caller), self.base)]
            return [_without_id(lost.json) for lost in self._lost_proposal(visit, is_others=is_others)]
        if self.proposal is not None:
            proposal = self.proposal.json
            is_somebodys = Appointment.objects.filter(fhir_id=proposal["id"]).exclude(status=CANCELLED).exists()
            return [_without_id(proposal) if is_somebodys else match(_cancelled_json(proposal), self.base)]
        return [{"resource": _cancelled_json(self.client_appointment.json), "search": {"mode": "match"}}]

    def _lost_proposal(self, visit: Appointment, *, is_others: bool) -> list[Proposal]:
        """Return the proposal of a hold that another caller has by now; none if there is no such proposal."""
        fhir_id = self.parameters.target.fhir_id
        facts = read_proposal_id(fhir_id)
        if facts is None or (not is_others and self.is_for(patients_of(visit))):
            return []
        return [read_proposal(fhir_id, facts, self.patients)]


def _over(once: Once | None) -> Appointment:
    raise HoldExpired("This proposal has expired. Search for times again.")


def _without_id(proposal: Json) -> Json:
    """Return the entry of a proposal without its id, which is now a visit's."""
    others = {name: value for name, value in proposal.items() if name != "id"}
    return {"resource": _cancelled_json(others), "search": {"mode": "match"}}


def _cancelled_json(appointment: Json) -> Json:
    others = {name: value for name, value in appointment.items() if name not in ("contained", "slot")}
    participants = [{**each, "status": "declined"} for each in appointment["participant"]]
    return {**others, "status": "cancelled", "participant": participants}


def _entry(appointment: Appointment, base: str) -> Json:
    return match(profiled(written(appointment)[0]), base)
