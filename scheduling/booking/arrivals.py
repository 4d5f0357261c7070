"""Patients who have come: they check in online, which is the step that the desk records on the board."""

from datetime import date, datetime

from django.db.models import Q

from clinic import phones
from clinic.country import clinic_zone
from clinic.local_time import in_zone
from clinic.models import Appointment, Location
from scheduling.access import Caller
from scheduling.booking.idempotency import Once, use_case
from scheduling.booking.request import StatusRequest
from scheduling.booking.steps import take_step
from scheduling.booking.transitions import locked, require_transition
from scheduling.errors import RuleBroken
from scheduling.facts import VisitFacts
from scheduling.notifications.audience import audience_of
from scheduling.participants import is_group, patients_of, visit_of_patient
from scheduling.visit_zone import zone_of_place, zone_or_clinics
from scheduling.waiting import bounds_of

Status = Appointment.Status
CHECK_IN = StatusRequest(subtype="check-in")
HERE = frozenset({Status.ARRIVED, Status.CHECKED_IN})


@use_case
def check_in(appointment_id: str, *, caller: Caller, now: datetime, once: Once | None = None) -> Appointment:
    """Record that the patient of a booked visit has come. A repeated call changes nothing.

    Raises RuleBroken outside the time in which the service lets patients check in.
    """
    appointment = locked(appointment_id, caller)
    if appointment.status in HERE:
        return appointment
    require_transition(appointment, Status.ARRIVED)
    visit = VisitFacts(appointment, zone_of_place(appointment))
    if not visit.can_check_in(now):
        raise RuleBroken(visit.check_in_times(now))
    return take_step(appointment, Status.ARRIVED, CHECK_IN, caller=caller, now=now)


def find_arrivals(site: Location, born: date, known: str, *, now: datetime) -> list[Appointment]:
    """Return today's visits at the site of the patient who was born on this day, each as the patient has it.

    `known` is what else their finder knows: the reference of the visit, or a telephone number or an email address to
    which its messages go. Nothing is found by one without the other.
    """
    zone = zone_or_clinics(site.timezone)
    start, end = bounds_of(in_zone(now, zone).date(), zone)
    rows = Appointment.objects.filter(
        Q(patient__birth_date=born) | Q(other_patients__patient__birth_date=born, other_patients__has_left=False),
        site=site,
        start__gte=start,
        start__lt=end,
        status__in=(Status.BOOKED, *HERE),
        deleted_at=None,
    )
    visits = rows.select_related("patient", "service", "site").order_by("start", "pk").distinct()
    found = [
        visit_of_patient(visit, patient) if is_group(visit) else visit
        for visit in visits
        for patient in patients_of(visit)
        if patient.birth_date == born
    ]
    return [visit for visit in found if _is_known(visit, known.strip(), now)]


def _is_known(visit: Appointment, known: str, now: datetime) -> bool:
    """True if the text is the reference of the visit, or an address of its patient or of their carers."""
    if known.upper().replace("-", "") == VisitFacts(visit, clinic_zone()).reference:
        return True
    audience = audience_of(visit, now=now)
    if audience is None:
        return False
    number = phones.dialled(known)
    numbers = {phones.dialled(each) for each in (*audience.phones, visit.patient.phone if visit.patient else "")}
    return (number != "" and number in numbers) or known.casefold() in {each.casefold() for each in audience.emails}
