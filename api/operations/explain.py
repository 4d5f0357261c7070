"""`GET or POST [base]/HealthcareService/[id]/$explain`: why the service can or cannot be booked at a time."""

import json
from datetime import datetime
from functools import partial

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import caller_of
from api.fhir_view import FHIRView
from api.headers import base_of
from api.operations.parameters import inputs_of, moment, reference_to
from api.outcomes import outcome
from clinic.fhir.datatypes import Json
from clinic.models import HealthcareService, Patient
from scheduling import access, availability, booking
from scheduling.access import Caller
from scheduling.availability import Offering
from scheduling.booking import BookingRequest, Obstacle
from scheduling.errors import Issue, NotFound

START, SCHEDULE, PATIENT = "start", "schedule", "patient"


class Explain(FHIRView):
    """Every rule that keeps a visit from being booked, for callers who work with the calendars.

    Others learn only if the time is one that they would find.
    """

    http_method_names = ["get", "post", "head"]

    def get(self, request: Request, fhir_id: str) -> Response:
        now, caller, base = timezone.now(), caller_of(request), base_of(request)
        access.may_find(caller)
        inputs = inputs_of(request, {START, SCHEDULE, PATIENT})
        start = inputs.required(START, moment)
        schedules = inputs.every(SCHEDULE, reference_to("Schedule", base, "schedule reference"))
        patient_id = inputs.one(PATIENT, reference_to("Patient", base, "patient reference"))
        inputs.finish()
        service = availability.service_of(fhir_id)
        if service is None:
            raise NotFound("HealthcareService not found")
        offerings = _offerings(service, schedules, start, caller, now)
        bookables, sites = [each.bookable for each in offerings], [each.site for each in offerings]
        if not access.may_explain(caller, bookables=bookables, sites=sites):
            return Response(_answer(_is_found(service, offerings, start, caller, now)))
        patient = _patient(patient_id, caller) if patient_id else None
        visit = BookingRequest(service=service, offerings=offerings, start=start, patient=patient)
        found = booking.obstacles_to(visit, caller=caller, now=now)
        return Response(_answer(not found, found))

    post = get


def _offerings(
    service: HealthcareService, schedules: list[str], start: datetime, caller: Caller, now: datetime
) -> tuple[Offering, ...]:
    """Return the offerings of the named schedules; without any, those of the service with the fewest obstacles."""
    if schedules:
        is_known = partial(access.may_know_calendar, caller)
        return tuple(availability.offerings_of(service, list(dict.fromkeys(schedules)), is_known=is_known))
    ways = availability.arrangements_for(service)
    if not ways:
        raise NotFound("No schedules offer this service together")
    return availability.arrange(service, ways, start, now=now)


def _is_found(
    service: HealthcareService, offerings: tuple[Offering, ...], start: datetime, caller: Caller, now: datetime
) -> bool:
    """True if $find would propose the time to the caller."""
    is_theirs = all(access.could_book(caller, service, each.schedule) for each in offerings)
    return is_theirs and availability.is_offered(service, offerings, start, now=now)


def _patient(fhir_id: str, caller: Caller) -> Patient:
    found = access.visible(Patient, caller).filter(fhir_id=fhir_id, deleted_at=None).first()
    if found is None:
        raise NotFound("Patient not found", expression=f"Parameters.{PATIENT}")
    return found


def _answer(can_be_booked: bool, obstacles: list[Obstacle] | None = None) -> Json:
    parameters: list[Json] = [{"name": "result", "valueBoolean": can_be_booked}]
    if obstacles:
        parameters.append({"name": "outcome", "resource": outcome(map(_issue, obstacles), "information")})
    return {"resourceType": "Parameters", "parameter": parameters}


def _issue(obstacle: Obstacle) -> Issue:
    """Return the issue of an obstacle; its diagnostics have the code of the rule, for software."""
    is_conflict = obstacle.rule in availability.TIME_CONFLICTS
    expression = obstacle.offering.reference if obstacle.offering else ""
    diagnostics = json.dumps({"rule": obstacle.rule.value})
    return Issue("conflict" if is_conflict else "business-rule", obstacle.text, expression, diagnostics)
