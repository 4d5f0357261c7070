"""The tools of the server for agents. Each runs one question or one use case in a thread of its own."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Annotated, Any, TypeVar

from anyio import to_thread
from django.db import connections
from django.utils import timezone
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import AwareDatetime, Field

from api.agents import times, visits
from api.agents.answers import AgentVisit, AgentVisits, BookableService, FreeTimes, Services
from api.throttling import TooManyRequests, check_client
from clinic.models import Appointment, HealthcareService, ServiceRequest
from clinic.translations import text_of
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.booking import (
    BASED_ON,
    AlreadyAnswered,
    BookingRequest,
    ConfirmRequest,
    Once,
    RescheduleRequest,
    StatusRequest,
)
from scheduling.errors import Invalid, NotFound, SchedulingError, TimeNotOffered, TimeTaken

T = TypeVar("T")
MOST_TIMES = 20
Act = Callable[[Caller, datetime], T]

Service = Annotated[str, Field(description="The id of a service, from list_services.", max_length=64)]
Time = Annotated[str, Field(description="A time as find_times returned it, unchanged.", max_length=1000)]
VisitId = Annotated[str, Field(description="The id of a visit, from my_visits, hold_time or book_time.", max_length=64)]
PatientId = Annotated[
    str,
    Field(
        description="The id of the FHIR Patient. Leave it empty if the token is for one patient only.", max_length=64
    ),
]
Referral = Annotated[
    str,
    Field(description="The id of the referral (ServiceRequest), for a service that needs one.", max_length=64),
]
Key = Annotated[
    str,
    Field(
        description="An idempotency key: a new random text for each thing to be done, such as a UUID. If the answer is"
        " lost, send the same call with the same key: it is done once, and answered as the first time.",
        min_length=8,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
    ),
]
Note = Annotated[str, Field(description="What the clinic should know. It is stored with the visit.", max_length=1000)]


class AgentTools:
    """The tools for the holder of a token. `caller_of` returns the caller of the present request, or None."""

    def __init__(self, caller_of: Callable[[], Caller | None]) -> None:
        self._caller_of = caller_of

    async def list_services(self) -> Services:
        """List the kinds of visits that can be booked, with what each needs."""
        return await self._run(_list_services)

    async def find_times(
        self,
        service: Service,
        start: Annotated[
            AwareDatetime, Field(description="Search from here on: ISO 8601 with an offset, such as 2027-01-31T09:00Z.")
        ],
        end: Annotated[AwareDatetime, Field(description="Search until here, 31 days after the start at most.")],
        practitioner: Annotated[str, Field(description="Only with this FHIR Practitioner (id).", max_length=64)] = "",
        location: Annotated[str, Field(description="Only at this FHIR Location (id).", max_length=64)] = "",
        limit: Annotated[int, Field(description="At most so many times.", ge=1, le=MOST_TIMES)] = 10,
    ) -> FreeTimes:
        """Find free times of a service. Nothing is held by it; use hold_time before you ask the patient to decide."""
        return await self._run(
            partial(_find_times, service, start, end, practitioner=practitioner, location=location, limit=limit)
        )

    async def hold_time(
        self, time: Time, idempotency_key: Key, patient: PatientId = "", referral: Referral = ""
    ) -> AgentVisit:
        """Hold a free time for a patient until `hold_expires_at` of the answer, while they decide. Nothing is booked.

        Then call book_time with the id of the visit, or cancel_visit to let it go. Afterwards the time is free again.
        """
        return await self._run(partial(_take, booking.hold, "hold_time", time, patient, referral, "", idempotency_key))

    async def book_time(
        self,
        idempotency_key: Key,
        visit: Annotated[str, Field(description="The id of a visit that hold_time holds.", max_length=64)] = "",
        time: Annotated[str, Field(description="Or a time of find_times, to book it at once.", max_length=1000)] = "",
        patient: PatientId = "",
        referral: Referral = "",
        note: Note = "",
    ) -> AgentVisit:
        """Book a held visit, or a free time at once. Do so only if the patient has agreed to exactly this time.

        The patient is told by the clinic. With the status `requested` the clinic has still to accept.
        """
        if bool(visit) == bool(time):
            raise ToolError("Send either `visit`, which is held, or `time`.")
        if visit:
            return await self._run(partial(_confirm, visit, note, idempotency_key))
        return await self._run(
            partial(_take, booking.book, "book_time", time, patient, referral, note, idempotency_key)
        )

    async def move_visit(self, visit: VisitId, time: Time, idempotency_key: Key) -> AgentVisit:
        """Move a booked visit to a free time of the same service. If that is not free, the visit stays as it was."""
        return await self._run(partial(_move, visit, time, idempotency_key))

    async def cancel_visit(
        self,
        visit: VisitId,
        idempotency_key: Key,
        reason: Annotated[str, Field(description="Why, in the patient's words. Optional.", max_length=500)] = "",
    ) -> AgentVisit:
        """Cancel a booked visit, or let a held time go. It cannot be undone: ask the patient before."""
        return await self._run(partial(_cancel, visit, reason, idempotency_key))

    async def my_visits(
        self,
        patient: PatientId = "",
        past: Annotated[bool, Field(description="The visits before today instead of those to come.")] = False,
    ) -> AgentVisits:
        """List the visits of the patient, with those that are held or requested; 50 at most."""
        return await self._run(partial(_my_visits, patient, past=past))

    async def _run(self, act: Act[T]) -> T:
        """Run a query or use case in a thread, and return its result. A refusal becomes an error of the tool."""
        return await to_thread.run_sync(partial(_answer, self._caller_of, act))


def _answer(caller_of: Callable[[], Caller | None], act: Act[T]) -> T:
    try:
        caller = caller_of()
        if caller is None:
            raise ToolError("The access token is not known, has expired or was revoked. Get a new one.")
        check_client(caller)
        return act(caller, timezone.now())
    except TooManyRequests as refusal:
        raise ToolError(f"There are too many requests. Try again in {refusal.wait} seconds.") from None
    except SchedulingError as refusal:
        raise ToolError(_refusal_text(refusal)) from None
    finally:
        connections.close_all()  # the thread is not Django's, which would do so after a request


def _refusal_text(refusal: SchedulingError) -> str:
    """Return the reasons of a refusal, one per line, with the alternatives that were added to it."""
    return "\n".join(issue.text + (f"\n{issue.diagnostics}" if issue.diagnostics else "") for issue in refusal.issues)


def _list_services(caller: Caller, now: datetime) -> Services:
    return Services(services=[_service(service) for service in times.services_of(caller)])


def _service(service: HealthcareService) -> BookableService:
    return BookableService(
        service=service.fhir_id,
        name=str(text_of(service, "name")),
        about=str(text_of(service, "comment")),
        how_to_prepare=str(text_of(service, "preparation")),
        by_video=service.telehealth,
        for_patients=service.eligibility,
        needs_referral=service.bookable_by == HealthcareService.BookableBy.REFERRED,
        needs_insurance=service.requires_coverage,
        needs_answers=service.requires_questionnaires,
        is_requested=service.on_request,
    )


def _find_times(
    service_id: str,
    start: datetime,
    end: datetime,
    caller: Caller,
    now: datetime,
    *,
    practitioner: str,
    location: str,
    limit: int,
) -> FreeTimes:
    service = times.service_named(service_id)
    found = times.find(service, start, end, caller, practitioner=practitioner, location=location, limit=limit, now=now)
    return FreeTimes(times=times.described(service, found), more=len(found) == limit)


def _take(
    use_case: Callable[..., Appointment],
    tool: str,
    time: str,
    patient: str,
    referral: str,
    note: str,
    key: str,
    caller: Caller,
    now: datetime,
) -> AgentVisit:
    """Hold or book a time."""

    def take(once: Once) -> Appointment:
        chosen = times.read(time, caller)
        request = BookingRequest(
            service=chosen.service,
            offerings=chosen.offerings,
            start=chosen.start,
            patient=visits.patient_for(caller, patient),
            comment=note,
            extra=_based_on(referral),
        )
        return _with_other_times(lambda: use_case(request, caller=caller, now=now, once=once), chosen, now)

    return _once(take, [tool, time, patient, referral, note], key, caller, now)


def _confirm(visit: str, note: str, key: str, caller: Caller, now: datetime) -> AgentVisit:
    request = ConfirmRequest(comment=note)
    return _once(
        lambda once: booking.confirm(visit, request, caller=caller, now=now, once=once),
        ["book_time", visit, note],
        key,
        caller,
        now,
    )


def _move(visit: str, time: str, key: str, caller: Caller, now: datetime) -> AgentVisit:
    def move(once: Once) -> Appointment:
        chosen = times.read(time, caller)
        booked = access.changeable_appointment(caller, visit)
        if booked.service_id != chosen.service.pk:
            raise Invalid("That time is of another service. Find times of the service that is booked.")
        request = RescheduleRequest(offerings=chosen.offerings, start=chosen.start)
        return _with_other_times(
            lambda: booking.reschedule(visit, request, caller=caller, now=now, once=once), chosen, now
        )

    return _once(move, ["move_visit", visit, time], key, caller, now)


def _cancel(visit: str, reason: str, key: str, caller: Caller, now: datetime) -> AgentVisit:
    request = StatusRequest(reason={"text": reason} if reason else None)
    return _once(
        lambda once: booking.cancel(visit, request, caller=caller, now=now, once=once),
        ["cancel_visit", visit, reason],
        key,
        caller,
        now,
    )


def _my_visits(patient: str, caller: Caller, now: datetime, *, past: bool) -> AgentVisits:
    access.require(caller, Appointment.RESOURCE_TYPE, "s")
    found = visits.of(visits.patient_for(caller, patient), caller, past=past, now=now)
    access.record_disclosure(found, "search", caller=caller, now=now, query="mcp my_visits")
    return AgentVisits(visits=visits.described(found, now=now))


def _based_on(referral: str) -> dict[str, Any]:
    if not referral:
        return {}
    if not ServiceRequest.objects.filter(fhir_id=referral, deleted_at=None).exists():
        raise NotFound(f"There is no referral {referral!r}.")
    return {BASED_ON: [{"reference": f"{ServiceRequest.RESOURCE_TYPE}/{referral}"}]}


def _once(
    act: Callable[[Once], Appointment], arguments: list[str], key: str, caller: Caller, now: datetime
) -> AgentVisit:
    """Run a use case once for its key, and return the visit; the first answer, if it was run before."""
    once = Once(
        owner=caller.owner,
        key=key,
        fingerprint=sha256(json.dumps(arguments).encode()).hexdigest(),
        answer=lambda visit: _visit(visit, now).model_dump(mode="json"),
    )
    try:
        booking.recall(once)
        return _visit(act(once), now)
    except AlreadyAnswered as before:
        return AgentVisit(**before.answer)


def _visit(visit: Appointment, now: datetime) -> AgentVisit:
    [described] = visits.described([visit], now=now)
    return described


def _with_other_times(act: Callable[[], Appointment], chosen: times.ChosenTime, now: datetime) -> Appointment:
    """Run a use case. If its time is not free, the refusal names the nearest free times."""
    try:
        return act()
    except (TimeTaken, TimeNotOffered) as refusal:
        nearest = times.nearest(chosen.service, chosen.offerings, chosen.start, now=now)
        others = [time.model_dump() for time in times.described(chosen.service, nearest)]
        first, *rest = refusal.issues
        others_text = f"Free instead: {json.dumps(others)}" if others else "Search with find_times for another time."
        refusal.issues = (replace(first, diagnostics=others_text), *rest)
        raise
