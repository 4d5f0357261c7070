"""Findings of plug-ins and decision services before a booking: the facts that they are asked with, and the request with
their findings.

They are asked before the transaction of the use case, so that no lock waits for them.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from functools import partial, wraps
from inspect import signature
from typing import Any, NamedTuple, ParamSpec, TypeVar

from django.utils.translation import get_language

from clinic.fhir.datatypes import instant
from clinic.fhir.resources import to_fhir
from clinic.fhir.schedules import service_type
from clinic.local_time import in_zone
from clinic.models import Appointment, HealthcareService, Patient
from clinic.translations import text_of
from scheduling import access, availability, cds_hooks, plugins, requirements
from scheduling.access import Caller
from scheduling.availability import Offering
from scheduling.booking.patients import with_survivors
from scheduling.booking.request import BookingRequest, ConfirmRequest, Json, RescheduleRequest, participants_of
from scheduling.errors import Forbidden, NotFound
from scheduling.new_patients import is_new
from scheduling.participants import patients_of
from scheduling.plugins import BookingFacts, BookingStep, CallerFacts, Door, Judgement, PatientFacts, ServiceFacts

P = ParamSpec("P")
R = TypeVar("R", BookingRequest, ConfirmRequest, RescheduleRequest)

WAITING = (Appointment.Status.PENDING, Appointment.Status.PROPOSED)


class JudgedVisit(NamedTuple):
    """The visit that a request would make, confirm or move. Without service, time or schedules it is not judged."""

    service: HealthcareService | None
    offerings: tuple[Offering, ...]
    start: datetime | None
    end: datetime | None
    patients: tuple[Patient, ...]


def judged(step: BookingStep) -> Callable[[Callable[P, Appointment]], Callable[P, Appointment]]:
    """Decorator for a use case with a `request`, which gets the findings of the plug-ins as its `judgement`."""

    def decorate(use_case: Callable[P, Appointment]) -> Callable[P, Appointment]:
        @wraps(use_case)
        def run(*args: P.args, **named: P.kwargs) -> Appointment:
            if not is_judged(step):
                return use_case(*args, **named)
            call = signature(use_case).bind(*args, **named)
            call.apply_defaults()
            call.arguments["request"] = with_judgement(step, **call.arguments)
            return use_case(*call.args, **call.kwargs)

        return run

    return decorate


def is_judged(step: BookingStep) -> bool:
    """True if a plug-in or a decision service has to be asked at this step."""
    return plugins.are_asked() or _are_services_asked(step)


def with_judgement(
    step: BookingStep,
    request: R,
    *,
    caller: Caller,
    now: datetime,
    appointment_id: str = "",
    by_services: bool = True,
    **others: Any,
) -> R:
    """Return the request with the findings of the plug-ins and, if `by_services`, of decision services.

    Raises NotFound, Forbidden, PluginUnavailable.
    """
    existing = access.changeable_appointment(caller, appointment_id) if appointment_id else None
    visit = _visit(request, existing)
    if visit.service is None or visit.start is None or visit.end is None or not visit.offerings:
        return request  # the use case refuses it, or it takes no time here
    zone = visit.offerings[0].zone
    facts = BookingFacts(
        step=step,
        appointment=existing.reference if existing else "",
        service=_service_facts(visit.service),
        start=in_zone(visit.start, zone),
        end=in_zone(visit.end, zone),
        schedules=tuple(offering.reference for offering in visit.offerings),
        practitioners=_people(visit.offerings),
        locations=_places(visit.offerings),
        patients=tuple(_patient_facts(patient, visit.service, visit.start) for patient in visit.patients),
        caller=_caller_facts(caller),
        override=getattr(request, "override", ""),
        language=get_language() or "",
    )
    judgement = plugins.judge(facts, now=now)
    for patient in visit.patients if by_services and _are_services_asked(step) else ():
        cards = cds_hooks.ask(_context(visit, patient, caller), partial(_records, visit, patient), now=now)
        judgement = replace(
            judgement, refusals=judgement.refusals + cards.stopping, cards=judgement.cards + cards.shown
        )
    return replace(request, judgement=judgement)


def _are_services_asked(step: BookingStep) -> bool:
    """True if a decision service has to be asked. A hold is not a booking yet."""
    return step != BookingStep.HOLD and bool(cds_hooks.services())


def _context(visit: JudgedVisit, patient: Patient, caller: Caller) -> Json:
    """Return the context of the hook for one of the patients: https://cds-hooks.hl7.org/hooks/appointment-book

    The user is the person who books; for software without one, the patient.
    """
    assert visit.service is not None
    assert visit.start is not None
    assert visit.end is not None
    appointment = {
        "resourceType": "Appointment",
        "status": "proposed",
        "serviceType": service_type(visit.service),
        "start": instant(visit.start),
        "end": instant(visit.end),
        "participant": participants_of(visit.offerings, [patient], "needs-action"),
    }
    return {
        "userId": _caller_facts(caller).person or patient.reference,
        "patientId": patient.fhir_id,
        "appointments": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": appointment}]},
    }


def _records(visit: JudgedVisit, patient: Patient) -> Json:
    """Return the patient, and the coverage that is active on the day of the visit."""
    assert visit.start is not None
    day = in_zone(visit.start, visit.offerings[0].zone).date()
    coverages = [to_fhir(each) for each in requirements.coverages(patient.pk, day)]
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(coverages)}
    if coverages:
        bundle["entry"] = [{"resource": each, "search": {"mode": "match"}} for each in coverages]
    return {"patient": to_fhir(patient), "coverage": bundle}


def judge_confirmations(ids: Collection[str], *, caller: Caller, now: datetime) -> dict[str, Judgement]:
    """Return the findings about those of these visits that a write can confirm, by id. No query without plug-ins and
    decision services.
    """
    if not ids or not is_judged(BookingStep.CONFIRM):
        return {}
    waiting = Appointment.objects.filter(fhir_id__in=ids, status__in=WAITING, deleted_at=None)
    judgements = {}
    for fhir_id in waiting.values_list("fhir_id", flat=True):
        try:
            request = with_judgement(
                BookingStep.CONFIRM, ConfirmRequest(), caller=caller, now=now, appointment_id=fhir_id
            )
        except (Forbidden, NotFound):
            continue  # the write is refused
        judgements[fhir_id] = request.judgement
    return judgements


def _visit(request: BookingRequest | ConfirmRequest | RescheduleRequest, existing: Appointment | None) -> JudgedVisit:
    if isinstance(request, BookingRequest):
        patients = with_survivors(request).patients
        return JudgedVisit(request.service, request.offerings, request.start, request.end, patients)
    assert existing is not None  # these requests name an appointment
    if isinstance(request, RescheduleRequest):
        patients = tuple(patients_of(existing))
        service = request.service or existing.service
        return JudgedVisit(service, request.offerings, request.start, request.end, patients)
    named = (request.patient,) if request.patient else tuple(patients_of(existing))
    patients = () if request.register else named
    return JudgedVisit(
        existing.service, availability.moved_visit_of(existing).own, existing.start, existing.end, patients
    )


def _service_facts(service: HealthcareService) -> ServiceFacts:
    codings = [coding for concept in service.type for coding in concept.get("coding", ())]
    codes = tuple((coding.get("system", ""), coding.get("code", "")) for coding in codings)
    return ServiceFacts(reference=service.reference, name=text_of(service, "name"), codes=codes)


def _people(offerings: tuple[Offering, ...]) -> tuple[str, ...]:
    return tuple(offering.person for offering in offerings if offering.person.startswith("Practitioner/"))


def _places(offerings: tuple[Offering, ...]) -> tuple[str, ...]:
    """The references of the sites and rooms, each once."""
    named = [offering.site_reference for offering in offerings] + [offering.actor for offering in offerings]
    return tuple(dict.fromkeys(reference for reference in named if reference.startswith("Location/")))


def _patient_facts(patient: Patient, service: HealthcareService, start: datetime) -> PatientFacts:
    return PatientFacts(reference=patient.reference, born=patient.born, is_new=is_new(patient, service, start))


def _caller_facts(caller: Caller) -> CallerFacts:
    person = (caller.practitioner or caller.patient) if caller.user else None
    reference = person.reference if person else ""
    if caller.client:
        return CallerFacts(door=Door.API, client=caller.client, person=reference)
    return CallerFacts(door=Door.STAFF if caller.is_staff else Door.PATIENTS, person=reference)
