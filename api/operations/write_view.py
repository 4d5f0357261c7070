"""The base of the operations that write: how a use case runs once, and how it is answered.

A repeated request gets the response to the first one:
https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/. The client names its request in the header
Idempotency-Key, 1 to 255 printable characters. Keys are kept for a day, separately for each client.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from typing import Any

import orjson
from django.db.models import Prefetch, prefetch_related_objects
from django.utils.http import http_date
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import caller_of
from api.fhir_view import FHIRView
from api.headers import REPLAYED, version_headers
from api.outcomes import outcome
from clinic import exact_json
from clinic.fhir.datatypes import Json, instant
from clinic.fhir.resources import to_fhir
from clinic.models import Appointment, HealthcareService, Slot
from scheduling import access, availability, booking, interactions
from scheduling.access import Caller
from scheduling.availability import Offering, TimeQuery
from scheduling.booking import AlreadyAnswered, Once, Written, visits_of
from scheduling.errors import Invalid, Issue, SchedulingError, TimeNotOffered, TimeTaken
from scheduling.versions import Versions

KEY = re.compile(r"[\x21-\x7e]{1,255}")
AROUND = timedelta(days=7)
SLOTS = Prefetch("slots", Slot.objects.filter(deleted_at=None).select_related("schedule").order_by("start", "pk"))
ALTERNATIVES = 3


@dataclass(frozen=True)
class Answer:
    """A response in a form that can be stored for a repeated request."""

    status: int
    body: Json | None
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        return Response(self.body, self.status, headers=self.headers)


@dataclass(frozen=True)
class Attempt:
    """A use case to run once for its key. `tell` adds the request's own words to a refusal."""

    run: Callable[[Once | None], Written]
    tell: Callable[[SchedulingError], None] = lambda refusal: None


class WriteView(FHIRView):
    """Base of the views that run one use case on one Appointment, or on those of a series, once for each
    Idempotency-Key.
    """

    http_method_names = ["post"]

    def answered(self, request: Request, prepare: Callable[[], Attempt], answer: Callable[[Any], Answer]) -> Response:
        """Run the use case and answer, or repeat the answer to the same request."""
        caller = caller_of(request)
        answer_for = cache(lambda written: answer(_redacted(written, caller)))
        key = once(request, answer_for)  # the use case calls it in its transaction, to store the response
        try:
            if key is not None:
                booking.recall(key)
            return answer_for(_attempted(prepare(), key)).response()
        except AlreadyAnswered as before:
            return replay(before.answer)


def _redacted(written: Written, caller: Caller) -> Written:
    if isinstance(written, tuple):
        return tuple(access.redacted(visit, caller) for visit in written)
    return access.redacted(written, caller)


def _attempted(attempt: Attempt, key: Once | None) -> Written:
    if key is not None:
        return attempt.run(replace(key, tell=attempt.tell))
    try:
        return attempt.run(None)
    except SchedulingError as refusal:
        attempt.tell(refusal)
        raise


def version_of(request: Request) -> Versions | None:
    """Return the versions in If-Match: https://hl7.org/fhir/R4/http.html#concurrency"""
    match = request.headers.get("If-Match")
    return None if match is None else interactions.version_of(match)


def relocated(issues: Iterable[Issue], places: Mapping[str, str]) -> tuple[Issue, ...]:
    """Return the issues with the parameters' paths instead of those of resources and elements."""
    return tuple(replace(each, expression=places.get(each.expression, each.expression)) for each in issues)


def add_alternatives(
    refusal: SchedulingError,
    service: HealthcareService,
    offerings: Sequence[Offering],
    start: datetime,
    *,
    now: datetime,
    at: str,
) -> None:
    """Add the nearest free times to a refusal of the time. `at` is the path of the requested time."""
    if isinstance(refusal, TimeTaken | TimeNotOffered):
        first, *others = refusal.issues
        nearest = [instant(each) for each in _nearest(service, offerings, start, now)]
        with_times = replace(
            first, expression=first.expression or at, diagnostics=json.dumps({"alternatives": nearest})
        )
        refusal.issues = (with_times, *others)


def _nearest(
    service: HealthcareService, offerings: Sequence[Offering], start: datetime, now: datetime
) -> list[datetime]:
    query = TimeQuery(
        ways=availability.ways_of(service, [tuple((offering,) for offering in offerings)]),
        start=start - AROUND,
        end=start + AROUND,
    )
    found = [availability.as_datetime(time.start) for time in availability.find_times(query, now=now)]
    return sorted(sorted(found, key=lambda at: abs(at - start))[:ALTERNATIVES])


# Answers


def written(appointment: Appointment) -> list[Json]:
    """Return the Appointment and its Slots as they are now. No statement if the use case has written the Slots."""
    prefetch_related_objects([appointment], SLOTS)
    return _resources(appointment)


def _resources(appointment: Appointment) -> list[Json]:
    return [to_fhir(appointment), *(to_fhir(slot) for slot in appointment.slots.all())]


def bundle(made: Written, base: str, status: HTTPStatus) -> Json:
    """Return a transaction-response with each Appointment, the warnings about it, and its Slots:
    https://hl7.org/fhir/R4/bundle.html#transaction-response
    """
    visits = visits_of(made)
    prefetch_related_objects(visits, SLOTS)
    entries = [entry for visit in visits for entry in _entries(visit, base, f"{status.value} {status.phrase}")]
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}


def _entries(appointment: Appointment, base: str, status: str) -> list[Json]:
    entries = [_entry(resource, base, status) for resource in _resources(appointment)]
    if issues := warnings(appointment):
        entries[0]["response"]["outcome"] = outcome(issues, "information")
    return entries


def warnings(appointment: Appointment) -> list[Issue]:
    """Return the warnings about a visit that has just been held, booked, confirmed or moved."""
    return [Issue("informational", text) for text in appointment.warnings]


def created(made: Written, base: str) -> Answer:
    """Return 201 for a new visit, or for those of a series. A hold has the header Expires."""
    appointment = visits_of(made)[0]
    headers = {"Location": f"{base}{appointment.reference}/_history/{appointment.version}"}
    if appointment.hold_expires_at:
        headers["Expires"] = http_date(appointment.hold_expires_at.timestamp())
    body = bundle(made, base, HTTPStatus.CREATED)
    return Answer(HTTPStatus.CREATED, body, headers | version_headers(appointment))


def changed(made: Written, base: str) -> Answer:
    headers = version_headers(made) if isinstance(made, Appointment) else {}
    return Answer(HTTPStatus.OK, bundle(made, base, HTTPStatus.OK), headers)


def alone(appointment: Appointment) -> Answer:
    return Answer(HTTPStatus.OK, written(appointment)[0], version_headers(appointment))


def _entry(resource: Json, base: str, status: str) -> Json:
    version = resource["meta"]["versionId"]
    url = f"{base}{resource['resourceType']}/{resource['id']}"
    response = {
        "status": status,
        "location": f"{url}/_history/{version}",
        "etag": f'W/"{version}"',
        "lastModified": resource["meta"]["lastUpdated"],
    }
    return {"fullUrl": url, "resource": resource, "response": response}


# Idempotency


def once(request: Request, answer: Callable[[Any], Answer]) -> Once | None:
    """Return the request's idempotency key, if it has one. Raises Invalid for a malformed one."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not KEY.fullmatch(key):
        raise Invalid("An Idempotency-Key is 1 to 255 printable characters without spaces.")
    return Once(
        owner=caller_of(request).owner,
        key=key,
        fingerprint=_fingerprint(request),
        answer=lambda outcome: asdict(answer(outcome)),
    )


def replay(stored: Any) -> Response:
    """Return the stored response, marked as a repetition."""
    answer = Answer(**stored)
    return Response(answer.body, answer.status, headers=answer.headers | {REPLAYED: "true"})


def _fingerprint(request: Request) -> str:
    """Return a digest of method, URL, If-Match and body, whatever the order of its JSON."""
    parts = [request.method, request.get_full_path(), request.headers.get("If-Match", ""), request.data or {}]
    return sha256(exact_json.dumps(parts, orjson.OPT_SORT_KEYS)).hexdigest()
