"""The reasons why a visit cannot be booked at a time, in words, with links to the pages that change them."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from clinic.admin.links import page_of
from clinic.models import HealthcareService, Resource, Schedule
from portal.staff.calendar.requested_visits import RequestedVisit, arrange
from portal.staff.calendar.selection import Selection
from scheduling import access, availability, booking, requirements
from scheduling.access import Caller
from scheduling.availability import Reason
from scheduling.booking import BookingRequest, Obstacle, Rule
from scheduling.errors import Forbidden, SchedulingError

HOURS = frozenset({Reason.OUTSIDE_HOURS, Reason.CLOSED})
NOTICE = frozenset({Reason.TOO_SOON, Reason.TOO_FAR})
OF_THE_CALENDAR = frozenset({Reason.OUTSIDE_PLANNING_HORIZON, Reason.AWAY})


@dataclass(frozen=True, slots=True)
class Change:
    """A page on which a rule is changed, and the words of the link to it."""

    address: str
    words: str


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """A reason, and the page that changes it if the caller may change it."""

    text: str
    change: Change | None = None


@dataclass(frozen=True, kw_only=True)
class CalendarReasons:
    """The reasons of one calendar; none if it is free then."""

    name: str
    reasons: list[ReasonLine]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Everything that keeps a service from being booked at a time, by calendar and for the visit as a whole.

    `needs` is a sentence with what the service requires of each patient, which depends on who they are.
    """

    calendars: list[CalendarReasons]
    others: list[ReasonLine]
    needs: str

    @property
    def can_be_booked(self) -> bool:
        return not self.others and not any(each.reasons for each in self.calendars)


def explanation_address(service_id: str | None, schedule: Schedule, start: datetime | None) -> str:
    """Return the address of the page that explains a service on a calendar at a local start; empty without them."""
    if not service_id or start is None:
        return ""
    query = {
        "service": service_id,
        "schedule": schedule.fhir_id,
        "date": f"{start:%Y-%m-%d}",
        "time": f"{start:%H:%M}",
        "again": str(start.fold),
    }
    return f"{reverse('portal:staff-why')}?{urlencode(query)}"


def explain(
    service: HealthcareService,
    schedule: Schedule,
    start: datetime,
    *,
    caller: Caller,
    selection: Selection,
    now: datetime,
) -> Explanation:
    """Explain why the service can or cannot be booked on the calendar at `start`, with the links the caller can use."""
    needs = requirements.describe(service)
    try:
        offerings = arrange(RequestedVisit(service=service, calendar=schedule), start, now=now)
    except SchedulingError as refusal:
        return Explanation(calendars=[], others=_not_at_all(service, schedule, refusal, caller, now), needs=needs)
    request = BookingRequest(service=service, offerings=offerings, start=start)
    # Requirements depend on the patient, who is not known here.
    found = [
        each
        for each in booking.obstacles_to(request, caller=caller, now=now)
        if each.rule not in (Rule.REQUIREMENT, Rule.PATIENT_LIMIT)
    ]
    own = {each.fhir_id: each for each in selection.every}
    return Explanation(
        calendars=[
            CalendarReasons(
                name=offering.actor_name or offering.reference,
                reasons=[
                    ReasonLine(each.text, _change(each, service, own.get(offering.fhir_id), start, caller))
                    for each in found
                    if each.offering == offering
                ],
            )
            for offering in offerings
        ],
        others=[ReasonLine(each.text) for each in found if each.offering is None],
        needs=needs,
    )


def _not_at_all(
    service: HealthcareService, schedule: Schedule, refusal: SchedulingError, caller: Caller, now: datetime
) -> list[ReasonLine]:
    """Return the faults that keep the service from this calendar at any time; else the refusal itself."""
    verdict = next(iter(availability.checklist([service], now=now)), None)
    problems = [each for each in verdict.problems if not each.fault.is_doubt] if verdict else []
    here = [each for each in problems if schedule.pk in each.schedules or not each.schedules]
    lines = [ReasonLine(each.text, _in_administration(each.mend or schedule, caller)) for each in here]
    return lines or [ReasonLine(str(refusal), _in_administration(schedule, caller))]


def _change(
    obstacle: Obstacle, service: HealthcareService, schedule: Schedule | None, start: datetime, caller: Caller
) -> Change | None:
    """Return the page that changes a rule; None on a calendar that the caller does not work with."""
    if schedule is None:
        return None
    rule = obstacle.rule
    if rule in availability.TIME_CONFLICTS:
        query = urlencode({"schedule": schedule.fhir_id, "date": f"{start:%Y-%m-%d}"})
        return Change(f"{reverse('portal:day')}?{query}", _("See the day"))
    if rule in OF_THE_CALENDAR:
        person = schedule.bookable.practitioner if rule == Reason.AWAY else None
        return _in_administration(person or schedule, caller)
    is_general = rule in NOTICE
    if not _may_set_hours(caller, None if is_general else schedule):
        return None
    named = {"service_id": service.fhir_id} | ({} if is_general else {"schedule_id": schedule.fhir_id})
    if rule == Reason.KEPT:
        return Change(f"{reverse('portal:hours-edit', kwargs=named)}#kept", _("See the kept time"))
    if rule in HOURS:
        return Change(reverse("portal:hours-edit", kwargs=named), _("Change the hours"))
    return Change(reverse("portal:hours-settings", kwargs=named), _("Change how it is given"))


def _may_set_hours(caller: Caller, schedule: Schedule | None) -> bool:
    try:
        access.may_set_hours(caller, schedule)
    except Forbidden:
        return False
    return True


def _in_administration(row: Resource, caller: Caller) -> Change | None:
    if not (caller.is_administrator and caller.user is not None and caller.user.is_staff):
        return None
    return Change(page_of(row), _("Open %(page)s") % {"page": row})
