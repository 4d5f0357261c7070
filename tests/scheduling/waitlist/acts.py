"""The acts of patients, staff and the worker in tests of the waiting list."""

from datetime import datetime, timedelta

from django.utils import timezone

from clinic.models import Appointment, WaitlistOffer
from scheduling import booking, waitlist
from scheduling.access import Caller
from tests.scheduling.situations import SOFTWARE


def cancel(visit: Appointment, caller: Caller = SOFTWARE) -> Appointment:
    return booking.cancel(visit.fhir_id, caller=caller, now=timezone.now())


def work(now: datetime | None = None) -> None:
    """Do what a worker does: let lapsed offers pass on, and offer all time that is due."""
    booking.release_lapsed_offers(now=now or timezone.now())
    while waitlist.offer_freed_time(now=now or timezone.now()):
        pass


def lapse(offer: WaitlistOffer) -> None:
    """Let the offer end unanswered just now, by the database's clock too."""
    over = timezone.now() - timedelta(milliseconds=1)
    offer.hold.slots.update(blocks_from=over - timedelta(minutes=15), hold_expires_at=over)
    Appointment.objects.filter(pk=offer.hold_id).update(hold_expires_at=over)
    WaitlistOffer.objects.filter(pk=offer.pk).update(expires=over)


def offers() -> list[tuple[Appointment, datetime, str]]:
    """Return all offers so far: the entry, the time and the outcome."""
    rows = WaitlistOffer.objects.order_by("pk").select_related("entry")
    return [(offer.entry, offer.start, offer.outcome) for offer in rows]


def last_offer() -> WaitlistOffer:
    return WaitlistOffer.objects.latest("pk")


def take(entry: Appointment, offer: WaitlistOffer, caller: Caller | None = None) -> Appointment:
    caller = caller or by_link(entry)
    return booking.take_offer(entry.fhir_id, offer.hold.fhir_id, caller=caller, now=timezone.now())


def decline(entry: Appointment, offer: WaitlistOffer) -> Appointment:
    return booking.decline_offer(entry.fhir_id, offer.hold.fhir_id, caller=by_link(entry), now=timezone.now())


def by_link(entry: Appointment) -> Caller:
    """The holder of the entry's link."""
    assert entry.patient is not None
    return Caller(visit=entry.fhir_id, visit_patient=entry.patient.reference)
