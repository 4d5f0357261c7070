"""The acts of staff, patients and the worker in tests of absences."""

from datetime import datetime, timedelta

from django.utils import timezone

from clinic.models import Absence, Appointment, Communication, Rebooking
from scheduling import absences, booking
from scheduling.access import Caller


def work(ahead: timedelta = timedelta(0)) -> None:
    """Do what the worker does, until nothing is due."""
    while absences.tend(now=timezone.now() + ahead):
        pass


def offer(absence: Absence, desk: Caller) -> None:
    """Offer other times, and have them found and held."""
    absence.refresh_from_db()
    booking.offer_times(absence.pk, absence.version, caller=desk, now=timezone.now())
    work()


def send(absence: Absence, desk: Caller) -> None:
    """Offer other times, and tell the patients at once."""
    offer(absence, desk)
    absence.refresh_from_db()
    booking.send_offers(absence.pk, absence.version, caller=desk, now=timezone.now())
    work()


def by_link(visit: Appointment) -> Caller:
    """The holder of the visit's manage link."""
    assert visit.patient is not None
    return Caller(visit=visit.fhir_id, visit_patient=visit.patient.reference)


def held(visit: Appointment) -> list[Appointment]:
    visit.refresh_from_db()
    return booking.standing_alternatives(visit, now=timezone.now())


def times(visit: Appointment) -> list[datetime]:
    return [hold.start for hold in held(visit) if hold.start]


def choose(visit: Appointment, hold: Appointment, caller: Caller | None = None) -> Appointment:
    return booking.choose_alternative(visit.fhir_id, hold.fhir_id, caller=caller or by_link(visit), now=timezone.now())


def state(visit: Appointment) -> tuple[str, str]:
    """The state of the visit's last Rebooking, and why its patient must be called."""
    rebooking = Rebooking.objects.filter(appointment=visit).latest("pk")
    return rebooking.state, rebooking.why


def message_events(visit: Appointment) -> list[str]:
    """Return the events of the visit's emails that wait or were sent, in order."""
    rows = Communication.objects.filter(appointment=visit, medium="email").exclude(status="not-done")
    return list(rows.exclude(event="reminder").order_by("pk").values_list("event", flat=True))
