"""The series that staff book from the form of a new visit."""

from datetime import datetime

from django.utils.translation import gettext as _

from clinic import time_text
from clinic.models.services import FEWEST_VISITS
from scheduling import availability, booking
from scheduling.availability import Course, PlannedVisit, as_datetime
from scheduling.availability.series import LONGEST_SERIES
from scheduling.booking import BookingRequest, SeriesRequest
from scheduling.errors import Issue, TimeNotOffered


def series_request(first: BookingRequest, visits: int, weeks: int, leave_out: bool, *, now: datetime) -> SeriesRequest:
    """Return the request for so many visits, one every few weeks at one local time.

    Raises TimeNotOffered, with the nearest other times of each visit that is not free, unless these are to be left out
    and enough are left. The first visit is judged when it is booked.
    """
    zone = first.offerings[0].zone
    engaged = []
    if first.patient is not None:
        engaged = booking.engagements_of(first.patient, first.start, first.start + LONGEST_SERIES, now=now)
    planned = availability.plan_course(
        first.service,
        first.offerings,
        Course(visits, weeks),
        first.start,
        now=now,
        engaged=engaged,
        patients=first.patients,
    )
    missing = [visit for visit in planned[1:] if not visit.is_free]
    kept = [planned[0], *(visit for visit in planned[1:] if visit.is_free)]
    if missing and not (leave_out and len(kept) >= FEWEST_VISITS):
        raise TimeNotOffered(issues=[Issue("conflict", _sentence(visit, first), "") for visit in missing])
    return SeriesRequest(first=first, starts=tuple(as_datetime(visit.start) for visit in kept), zone=zone)


def _sentence(visit: PlannedVisit, first: BookingRequest) -> str:
    zone = first.offerings[0].zone
    when, *others = (
        time_text.day_and_time(as_datetime(at).astimezone(zone)) for at in (visit.start, *visit.alternatives)
    )
    values = {"number": visit.number, "when": when, "others": "; ".join(others)}
    if others:
        return _("Visit %(number)d: %(when)s is not free. Nearest free times: %(others)s.") % values
    return _("Visit %(number)d: %(when)s is not free, and no other time near it.") % values
