"""$hold and $book as Argonaut Scheduling and IHE have them: by id or by resource, refused in words of their own.

http://fhir.org/guides/argonaut-scheduling and https://profiles.ihe.net/ITI/Scheduling. What cannot be read, found or
allowed is told by the status of the answer. What is refused is an answer: a Bundle with the Appointment `cancelled` for
Argonaut, with an OperationOutcome alone for IHE.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.utils.http import http_date
from rest_framework.response import Response

from clinic.fhir.datatypes import Json
from clinic.fhir.references import local_reference
from clinic.models import Appointment, HealthcareService, Patient
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.api.headers import version_headers
from scheduling.api.idempotency import REPLAYED, Answer
from scheduling.api.looking import find_rows
from scheduling.api.operations.asked import Asked, read_asked
from scheduling.api.operations.base import Attempt, add_alternatives, relocated, written
from scheduling.api.operations.dialects import Dialect
from scheduling.api.parameters import Inputs
from scheduling.api.profiled import match, profiled, searchset
from scheduling.api.proposal_ids import read_proposal_id
from scheduling.api.submissions import offered, wished
from scheduling.api.submissions.offered import Offered
from scheduling.api.submissions.wished import Wish
from scheduling.availability import Offering
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
from scheduling.interactions import registration

REFUSALS = (TimeTaken, TimeNotOffered, RuleBroken, IllegalTransition, HoldExpired)
PREVIOUS = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.previousAppointment"
NEW, CHANGED, CANCELLED = ("proposed", "pending"), "booked", "cancelled"
TOLD = {
    "pending": "The time is held until the instant in the header Expires.",
    "booked": "The appointment is booked.",
    "cancelled": "The appointment is cancelled.",
}
ASKED_FOR = "The appointment is asked for. The clinic answers."


@dataclass(frozen=True)
class Taking:
    """One request. What it asks is read when it is first needed: not if the same was answered before."""

    inputs: Inputs
    dialect: Dialect
    named: str
    holds: bool
    caller: Caller
    now: datetime
    base: str
    version: int | None

    # Reading

    @cached_property
    def asked(self) -> Asked:
        return read_asked(self.inputs, self.dialect, self.named, self.holds, self.base)

    @cached_property
    def existing(self) -> Appointment | None:
        """The hold or visit that it is about, if the caller may see it."""
        fhir_id = self.asked.fhir_id or str((self.asked.sent or {}).get("id", ""))
        rows = access.visible(Appointment, self.caller, "rus").select_related("service", "patient")
        return rows.filter(fhir_id=fhir_id, deleted_at=None).first() if fhir_id else None

    @cached_property
    def offered(self) -> Offered | None:
        """The proposal that it is about. Raises NotFound where it is about nothing of ours."""
        if self.existing is not None or self.asked.sent is not None:
            return None
        proposed = read_proposal_id(self.asked.fhir_id)
        if proposed is None:
            raise NotFound(f"There is no Appointment/{self.asked.fhir_id}.", expression=f"Parameters.{self.asked.at}")
        return offered.read_offered(self.asked.fhir_id, proposed, self._patients)

    @cached_property
    def wish(self) -> Wish:
        """The Appointment that was sent, as it is to be read. The Slots that it has already are not what it wishes."""
        assert self.asked.sent is not None
        own = {"slot", "id"} if self.existing else set()
        sent = {name: value for name, value in self.asked.sent.items() if name not in own}
        return wished.read_wish(sent, f"Parameters.{self.asked.at}", self.base, self._patients)

    @property
    def _patients(self) -> QuerySet[Patient]:
        """Whom the caller may see. Another patient is not there."""
        return access.visible(Patient, self.caller).filter(deleted_at=None)

    @property
    def _wanted_status(self) -> Any:
        return "proposed" if self.asked.sent is None else self.asked.sent.get("status")

    # Acting

    def prepare(self) -> Attempt:
        status = self._wanted_status
        if status not in (NEW if self.holds else (*NEW, CHANGED, CANCELLED)):
            text = "The status of an Appointment that is taken is 'proposed' or 'pending'"
            more = "" if self.holds else "; it is 'booked' to change one and 'cancelled' to cancel it"
            raise Invalid(f"{text}{more}.", expression=f"Parameters.{self.asked.at}.status")
        if status in (CHANGED, CANCELLED):
            return self._of_existing(self._change if status == CHANGED else self._cancel)
        if self.existing is not None:
            return self._of_existing(self._keep if self.holds else self._confirm)
        return self._take()

    def _of_existing(self, act: Any) -> Attempt:
        if self.existing is None:
            raise NotFound(f"There is no such Appointment: {self.asked.at} names none of ours by its id.")
        return Attempt(partial(act, self.existing))

    def _keep(self, held: Appointment, once: Once | None) -> Appointment:
        """Who holds it already is told until when."""
        if held.status != Appointment.Status.PENDING:
            raise IllegalTransition(held.status, "held")
        if held.hold_expires_at is not None and held.hold_expires_at <= self.now:
            raise HoldExpired
        return held

    def _confirm(self, held: Appointment, once: Once | None) -> Appointment:
        patient = self._patient(held.patient)
        return booking.confirm(
            held.fhir_id,
            caller=self.caller,
            now=self.now,
            comment=self.asked.comment or str((self.asked.sent or {}).get("comment", "")),
            patient=patient if patient != held.patient else None,
            extensions=self._extensions(patient),
            version=self.version,
            once=once,
        )

    def _cancel(self, visit: Appointment, once: Once | None) -> Appointment:
        if visit.status == CANCELLED:
            return visit
        assert self.asked.sent is not None
        draft = wished.read_draft(self.asked.sent, f"Parameters.{self.asked.at}", self.base)
        reason = draft.fields["cancelation_reason"]
        return booking.cancel(
            visit.fhir_id, caller=self.caller, now=self.now, reason=reason, version=self.version, once=once
        )

    def _change(self, visit: Appointment, once: Once | None) -> Appointment:
        """As the resource says now: at its time, with its people, with its remarks."""
        notes = wished.notes_of(self.wish)
        notes["comment"] = self.asked.comment or notes["comment"]
        if not self._moves(visit):
            said = {name: visit.comment if name == "comment" else visit.extra.get(name) for name in notes}
            if said == notes:
                return visit
            return booking.annotate(
                visit.fhir_id, notes, caller=self.caller, now=self.now, version=self.version, once=once
            )
        chosen = wished.chosen_for(self.wish, self._may_book, now=self.now, without=visit)
        return booking.reschedule(
            visit.fhir_id,
            offerings=chosen.offerings,
            start=self.wish.start,
            caller=self.caller,
            now=self.now,
            notes=notes,
            version=self.version,
            once=once,
        )

    def _moves(self, visit: Appointment) -> bool:
        """Whether the time, or whose it takes, is another."""
        fields = self.wish.draft.fields
        return (fields["start"], fields["end"] or visit.end) != (visit.start, visit.end) or (
            _actors(fields["participant"]) != _actors(visit.participant)
        )

    def _take(self) -> Attempt:
        if self.offered is not None and self.offered.proposed.is_over(self.now):
            return Attempt(_over)
        patient = self._patient(self.offered.patient if self.offered else self.wish.patient)
        extensions = self._extensions(patient)
        status = "tentative" if self.holds else "accepted"
        request: BookingRequest
        if self.offered is not None:
            request = offered.request_for(
                self.offered, patient, status, comment=self.asked.comment, extensions=extensions
            )
        else:
            request = wished.request_for(
                self.wish,
                patient,
                status,
                self._may_book,
                now=self.now,
                comment=self.asked.comment,
                extensions=extensions,
            )
        take = booking.hold if self.holds else booking.book
        at = f"Parameters.{self.asked.at}"

        def tell(refusal: SchedulingError) -> None:
            places = {"Appointment.participant": f"{at}.participant"}
            refusal.issues = relocated(refusal.issues, places)
            add_alternatives(refusal, request.service, request.offerings, request.start, now=self.now, at=at)

        return Attempt(lambda once: take(request, caller=self.caller, now=self.now, once=once), tell)

    def _may_book(self, service: HealthcareService, offering: Offering) -> bool:
        return access.could_book(self.caller, service, offering.schedule)

    def _patient(self, known: Patient | None) -> Patient | None:
        """Whom it is for: who is named, registered now, known already, or who asks for themselves."""
        asked = self.asked
        if len(asked.patients) + len(asked.strangers) > 1:
            text = "An appointment is for one patient: book for each of a group."
            raise RuleBroken(issues=[Issue("not-supported", text, "Parameters.patient-id")])
        if asked.patients:
            found: list[Patient] = find_rows(self._patients, asked.patients)
            if not found:
                raise NotFound("There is no such Patient.", expression="Parameters.patient-id")
            return found[0]
        if asked.strangers:
            patient, _ = registration.register(asked.strangers[0], caller=self.caller, now=self.now, base=self.base)
            return patient
        is_patient = not (self.caller.is_system or self.caller.is_staff or self.holds)
        return known or (next(iter(self.caller.patients.values()), None) if is_patient else None)

    def _extensions(self, patient: Patient | None) -> tuple[Json, ...]:
        """The visit that this one comes in place of: cancelled, and the same patient's."""
        if not self.asked.instead_of:
            return ()
        rows = access.visible(Appointment, self.caller)
        before = rows.filter(fhir_id=self.asked.instead_of, deleted_at=None).first()
        at = "Parameters.cancelled-appt-id"
        if before is None:
            raise NotFound(f"There is no Appointment/{self.asked.instead_of}.", expression=at)
        if before.status != CANCELLED:
            raise RuleBroken("Cancel the old appointment before you book another in its place.", expression=at)
        if patient is None or before.patient_id != patient.pk:
            raise RuleBroken("The old appointment is another patient's.", expression=at)
        return ({"url": PREVIOUS, "valueReference": {"reference": before.reference}},)

    # Answering

    def answer(self, appointment: Appointment) -> Answer:
        """200 for what was asked for by its id, 201 for what was sent. A hold also says until when it stands."""
        is_new = self.asked.sent is not None and self.existing is None
        headers = version_headers(appointment)
        if is_new:
            headers["Location"] = f"{self.base}{appointment.reference}/_history/{appointment.version}"
        if appointment.hold_expires_at:
            headers["Expires"] = http_date(appointment.hold_expires_at.timestamp())
        is_request = appointment.status == "pending" and not appointment.hold_expires_at
        told = ASKED_FOR if is_request else TOLD.get(appointment.status, "The appointment is as it was.")
        body = searchset([_entry(appointment, self.base)], [Issue("informational", told)])
        return Answer(HTTPStatus.CREATED if is_new else HTTPStatus.OK, body, headers)

    def refused(self, refusal: SchedulingError) -> Response:
        """What was asked for was understood and not done: https://hl7.org/fhir/R4/operationoutcome.html"""
        headers = {REPLAYED: "true"} if refusal.repeated else {}
        if self.dialect is Dialect.IHE:
            issues = [Issue("not-found", each.text, each.expression, each.diagnostics) for each in refusal.issues]
            return Response(searchset([], issues, "fatal"), headers=headers)
        return Response(searchset(self._cancelled(refusal), refusal.issues, "error"), headers=headers)

    def _cancelled(self, refusal: SchedulingError) -> list[Json]:
        """The Appointment that was not to be. A hold that cannot be booked has ended, and its time is free."""
        if self.existing is not None:
            visit = self.existing
            if visit.status == Appointment.Status.PENDING and not visit.is_request:
                reason = booking.HOLD_EXPIRED if isinstance(refusal, HoldExpired) else {"text": refusal.issues[0].text}
                visit = booking.cancel(visit.fhir_id, caller=self.caller, now=self.now, reason=reason)
            return [_entry(visit, self.base)] if visit.status == CANCELLED else []
        if self.offered is not None:
            return [match(_not_to_be(self.offered.json), self.base)]
        return [{"resource": _not_to_be(self.wish.sent), "search": {"mode": "match"}}]


def _over(once: Once | None) -> Appointment:
    raise HoldExpired("This proposal has expired. Search for times again.")


def _not_to_be(appointment: Json) -> Json:
    others = {name: value for name, value in appointment.items() if name not in ("contained", "slot")}
    participants = [{**each, "status": "declined"} for each in appointment["participant"]]
    return {**others, "status": "cancelled", "participant": participants}


def _entry(appointment: Appointment, base: str) -> Json:
    return match(profiled(written(appointment)[0]), base)


def _actors(participants: Sequence[Json]) -> set[str]:
    return {local_reference(str(each.get("actor", {}).get("reference", ""))) for each in participants}
