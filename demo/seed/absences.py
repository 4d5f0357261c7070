"""The demo's absence: a practitioner will be away for a day, and the patients are asked to choose other times."""

from collections import defaultdict
from datetime import date, datetime, timedelta

from clinic.local_time import in_zone
from clinic.models import Appointment, Location, Rebooking, Slot, User
from clinic.zones import zone_named
from demo.seed.people import FRONT_DESK
from scheduling import absences, booking
from scheduling.access import Caller
from scheduling.booking import AbsenceRequest
from scheduling.waiting import bounds_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEWEST, MOST = 3, 6  # visits on the day of the absence
REASON, NOTICE = "Called in sick", "Your practitioner is ill."


def make_absence(*, now: datetime) -> None:
    """Record an absence at the front desk's site since two hours ago. Some patients have answered, one wants a call.

    Nothing is recorded if no day has a fitting number of visits.
    """
    site = Location.objects.get(fhir_id=FRONT_DESK[1])
    chosen = _day_with_visits(site, now)
    if chosen is None:
        return
    bookable, day = chosen
    start, end = bounds_of(day, zone_named(site.timezone))
    desk, recorded = Caller(user=User.objects.get(email=FRONT_DESK[0])), now - 2 * HOUR
    request = AbsenceRequest(bookable=bookable, start=start, end=end, reason=REASON, notice=NOTICE)
    absence = booking.record_absence(request, caller=desk, now=recorded)
    booking.offer_times(absence.pk, absence.version, caller=desk, now=recorded)
    for moment in (recorded, recorded + booking.UNDO_FOR):  # the times are found, then the patients are told
        while absences.tend(now=moment):
            pass
    offered = Rebooking.objects.filter(absence=absence, state=Rebooking.State.OFFERED).select_related("appointment")
    visits = [rebooking.appointment for rebooking in offered.order_by("pk")]
    for visit in visits[: len(visits) // 2]:
        time = booking.standing_alternatives(visit, now=now)[0]
        booking.choose_alternative(visit.fhir_id, time.fhir_id, caller=_by_link(visit), now=now - HOUR)
    for visit in visits[len(visits) // 2 :][:1]:
        booking.ask_for_call(visit.fhir_id, caller=_by_link(visit), now=now - HOUR)


def _day_with_visits(site: Location, now: datetime) -> tuple[int, date] | None:
    """The day next week with most visits of one practitioner, but not too many, and their bookable's primary key.

    The visits of patients whose pages the demo shows stay as they are.
    """
    taken = Slot.objects.filter(
        bookable__practitioner__isnull=False,
        appointment__site=site,
        appointment__status=Appointment.Status.BOOKED,
        status=Slot.Status.BUSY,  # not their buffers
        start__gte=now + 4 * DAY,
        start__lt=now + 12 * DAY,
    ).select_related("appointment__patient")
    days: dict[tuple[int, date], list[Slot]] = defaultdict(list)
    for slot in taken.order_by("start", "pk"):
        days[slot.bookable_id, in_zone(slot.start, zone_named(site.timezone)).date()].append(slot)
    fitting = {
        key: slots
        for key, slots in days.items()
        if FEWEST <= len(slots) <= MOST and not any(_is_shown(slot.appointment) for slot in slots)
    }
    return max(fitting, key=lambda key: len(fitting[key]), default=None)


def _is_shown(visit: Appointment | None) -> bool:
    """True if the visit is on the pages of a patient as whom one can sign in, or of nobody."""
    return visit is None or visit.patient is None or visit.patient.user_id is not None


def _by_link(visit: Appointment) -> Caller:
    """The holder of the visit's manage link."""
    return Caller(visit=visit.fhir_id, visit_patient=visit.patient.reference if visit.patient else "")
