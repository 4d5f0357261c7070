"""$find as Argonaut Scheduling and IHE have it: all bookable times that fit the criteria.

http://fhir.org/guides/argonaut-scheduling/OperationDefinition/appointment-find and
https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-find. Proposals have ids, by which they can be
held and booked for an hour; they are not stored. Each practitioner who is free at a time is a proposal of their own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from itertools import chain, islice
from typing import Any

from api.operations.argonaut.criteria import ALIASES, CRITERIA, coding, read_criteria, read_window
from api.operations.argonaut.profiles import match, searchset
from api.operations.argonaut.proposals import ProposalWriter
from api.operations.argonaut.references import ReferenceTarget, find_rows, reference_target
from api.operations.argonaut.timing import Suits, timing
from api.operations.ids import STANDS_FOR, ProposalFacts, SearchFacts, proposal_id
from api.operations.paging import PagedSearch, read_cursor
from api.operations.parameters import Inputs, resource, whole_number
from clinic.fhir.datatypes import Json, instant
from clinic.fhir.issues import InvalidElement
from clinic.fhir.visit_types import Coding, appointment_type_of, read_appointment_type
from clinic.models import HealthcareService, Patient
from scheduling import access, availability, booking, requirements
from scheduling.access import Caller
from scheduling.availability import Criteria, MayBook, Offering, Opening, TimeQuery
from scheduling.core.intervals import Span
from scheduling.errors import Issue, NotFound, RuleBroken

PARAMETERS = (
    *CRITERIA,
    "patient-reference",
    "patient-resource",
    "coverage",
    "reason",
    "referral-identifier",
    "timing",
    "insurance-reference",
    "appt-type",
    "_count",
    "_page",
)
# Parameters that are accepted and not used: coverage and the patient matter for $book only.
NOT_NEEDED = ("coverage", "insurance-reference", "patient-resource")
COUNT, MOST = 100, 1000


@dataclass(frozen=True, kw_only=True)
class CriteriaSearch(PagedSearch):
    """A search by criteria. `kept` are elements that the proposals repeat."""

    criteria: Criteria
    patient: Patient | None
    suits: Suits | None
    appointment_type: Coding | None
    kept: Json


def find(inputs: Inputs, caller: Caller, base: str, now: datetime) -> Json:
    """Return a searchset of proposed Appointments, in order of time and then of preference."""
    notes: list[str] = []
    inputs.only((*PARAMETERS, *ALIASES))
    search = _read(inputs, caller, base, now, notes)
    left_out: dict[int, HealthcareService] = {}
    ways = availability.ways_for(search.criteria, _may_book(search, caller, left_out))
    found = _openings(search, ways, now)
    page, total = _page_of(search, found)
    notes = [*_counted(search, ways, total), *notes, *_requirements(page[: search.count], left_out.values())]
    entries = _entries(search, page[: search.count], base, now)
    links = _links(inputs, search, page, total, base)
    if not links and len(page) > search.count:
        notes.append(f"There are more: ask again with a _count, {MOST} at most.")
    issues = [Issue("informational", text) for text in notes]
    return searchset(entries, issues) | {"total": total} | ({"link": links} if links else {})


def _counted(search: CriteriaSearch, ways: list[availability.Way], total: int) -> Iterator[str]:
    if not ways:
        yield "No service that you can book fits what was asked for."
    elif not total:
        yield f"No time is free from {instant(search.start)} to {instant(search.end)}."
    elif total == MOST:
        yield f"There are {MOST} appointments or more: only so many were counted. Narrow the search down."
    else:
        yield f"{total} appointments can be had." if total > 1 else "One appointment can be had."


def _requirements(page: Iterable[Opening], left_out: Iterable[HealthcareService]) -> Iterator[str]:
    """Yield an issue for each requirement of a service, so that the client knows before booking."""
    for service in {each.service.pk: each.service for each in page}.values():
        if needs := requirements.describe(service):
            yield needs
    for service in left_out:
        yield f"{service.name} was left out: name its visit-type. {requirements.describe(service)}"


# Reading


def _read(inputs: Inputs, caller: Caller, base: str, now: datetime, notes: list[str]) -> CriteriaSearch:
    window = read_window(inputs, now, notes)
    patients = inputs.every("patient-reference", reference_target(base, "Patient"))
    strangers = inputs.every("patient-resource", resource("Patient"))
    reasons = inputs.every("reason", coding)
    referral = inputs.one("referral-identifier", _identifier)
    suits = inputs.one("timing", timing)
    appointment_type = inputs.one("appt-type", _appointment_type)
    count = inputs.one("_count", whole_number("_count", 0, MOST))
    cursor = inputs.one("_page", partial(read_cursor, counted=True))
    inputs.every("coverage", resource("Coverage"))
    criteria = read_criteria(inputs, base, notes)
    notes += [f"'{name}' was not needed to find times." for name in NOT_NEEDED if inputs.has(name)]
    if len(patients) + len(strangers) > 1:
        text = "An appointment is for one patient: search for each of a group."
        raise RuleBroken(issues=[Issue("not-supported", text, "Parameters.patient-reference")])
    return CriteriaSearch(
        criteria=criteria,
        start=window.start,
        end=window.end,
        patient=_patient(patients[0], caller) if patients else None,
        suits=suits,
        appointment_type=appointment_type,
        kept=_repeated_elements(reasons, referral),
        count=COUNT if count is None else count,
        cursor=cursor,
    )


def _patient(target: ReferenceTarget, caller: Caller) -> Patient:
    """Return the patient of the search, if the caller may see them."""
    found: list[Patient] = find_rows(access.visible(Patient, caller), [target])
    if not found:
        raise NotFound("There is no such Patient.", expression="Parameters.patient-reference")
    return found[0]


def _repeated_elements(reasons: list[Coding], referral: Json | None) -> Json:
    """Return the elements with the reason and the referral, which the visit keeps."""
    kept: Json = {}
    if reasons:
        kept["reasonCode"] = [{"coding": [{"system": system, "code": code}]} for system, code in reasons]
    if referral:
        kept["basedOn"] = [{"type": "ServiceRequest", "identifier": referral}]
    return kept


def _identifier(value: Any) -> Json:
    if not isinstance(value, dict) or not isinstance(value.get("value"), str):
        raise InvalidElement("Not an Identifier with a value", "structure")
    return {name: value[name] for name in ("system", "value") if isinstance(value.get(name), str)}


def _appointment_type(value: Any) -> Coding:
    system, code = coding(value)
    return system, read_appointment_type({"system": system, "code": code})


# Finding


def _may_book(search: CriteriaSearch, caller: Caller, left_out: dict[int, HealthcareService]) -> MayBook:
    """Return the function that tests if the caller may book a service on an offering for this patient.

    A service with further requirements is proposed only if the search names a service, a visit type or a specialty.
    """
    team = requirements.care_team(search.patient.pk) if search.patient else None
    criteria = search.criteria
    is_any = criteria.services is None and criteria.visit_types is None and criteria.specialties is None

    @cache
    def is_of_type(service: HealthcareService) -> bool:
        return appointment_type_of(service.appointment_type, service.type) == search.appointment_type

    @cache
    def is_eligible(service: HealthcareService) -> bool:
        return search.patient is None or not requirements.eligibility_issues(service, search.patient, search.start)

    def may_book(service: HealthcareService, offering: Offering) -> bool:
        if search.appointment_type is not None and not is_of_type(service):
            return False
        needs_more = service.requires_questionnaires or requirements.needs_coverage(service)
        if is_any and (needs_more or (service.requires_care_team and team is None)):
            left_out[service.pk] = service
            return False
        if not is_eligible(service):
            return False
        if service.requires_care_team and team is not None and not {offering.actor, offering.person} & team:
            return False
        return access.could_book(caller, service, offering.schedule)

    return may_book


def _openings(search: CriteriaSearch, ways: list[availability.Way], now: datetime) -> Iterator[Opening]:
    """Yield the openings from the beginning of the page."""
    start, skip = search.beginning
    patients = (search.patient,) if search.patient is not None else ()
    query = TimeQuery(ways=ways, start=start, end=search.end, windows=availability.doubling, patients=patients)
    found = availability.openings(query, now=now)
    if search.patient is not None:
        engaged = booking.engagements_of(search.patient, start, search.end, now=now)
        found = (each for each in found if not any(each.start < end and first < each.end for first, end in engaged))
        full = _full_for(search.patient, ways, start, search.end, now)
        if any(full.values()):
            found = (each for each in found if not any(a <= each.start < b for a, b in full[each.service.pk]))
    if search.suits is not None:
        found = filter(search.suits, found)
    return islice(found, skip, None)


def _full_for(
    patient: Patient, ways: list[availability.Way], start: datetime, end: datetime, now: datetime
) -> dict[int, list[Span]]:
    """Return the spans in which the patient may begin no further visit, by service (primary keys)."""
    return {
        service.pk: [*chain(*availability.full_for(service, patient, start, end, now=now).values())]
        for service in dict.fromkeys(way.service for way in ways)
    }


def _page_of(search: CriteriaSearch, found: Iterator[Opening]) -> tuple[list[Opening], int]:
    """Return the page, one longer if there are more, and the total, which only the first page counts."""
    page = list(islice(found, search.count + 1))
    if search.cursor and search.cursor.total is not None:
        return page, search.cursor.total
    return page, min(len(page) + sum(1 for _ in islice(found, MOST)), MOST)


# Writing


def _entries(search: CriteriaSearch, page: list[Opening], base: str, now: datetime) -> list[Json]:
    writer = ProposalWriter()
    facts: dict[Coding, SearchFacts] = {}
    entries = []
    for opening in page:
        kind = writer.appointment_type(opening.service)
        if kind not in facts:
            facts[kind] = _facts(search, kind, now)
            facts[kind].keep()
        proposed = ProposalFacts(
            facts[kind], opening.service.pk, opening.start, tuple(offering.schedule for offering in opening.offerings)
        )
        fhir_id = proposal_id(proposed)
        proposal = writer.write(fhir_id, facts[kind], opening.service, opening.offerings, opening.start, search.patient)
        entries.append(match(proposal, base))
    return entries


def _facts(search: CriteriaSearch, kind: Coding, now: datetime) -> SearchFacts:
    return SearchFacts(
        patient=search.patient.pk if search.patient else 0,
        start=int(search.start.timestamp()),
        end=int(search.end.timestamp()),
        expires=int((now + STANDS_FOR).timestamp()),
        appointment_type=kind,
        kept=search.kept,
    )


def _links(inputs: Inputs, search: CriteriaSearch, page: list[Opening], total: int, base: str) -> list[Json]:
    """Return the links of a page; none if the search has a value that no address can hold, such as a Timing."""
    parameters = inputs.as_query(without=("start", "end", "_count", "_page", *NOT_NEEDED))
    return [] if parameters is None else search.links(base, parameters, page, total)
