"""Time that came free, and the next person of the waiting list who would take it.

One call looks at one stretch of free time and makes at most a few offers, each in a transaction of its own. A worker
claims the stretch for a while, so that the work of a worker that was killed is taken up by another. Nothing is lost by
that: an offer, its hold and its message are one commit.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from clinic.models import Appointment, FreedTime, HealthcareService, WaitlistOffer
from clinic.parking import Parking
from scheduling import booking
from scheduling.booking import OfferRequest
from scheduling.errors import IllegalTransition, SchedulingError, TimeNotOffered, TimeTaken
from scheduling.waitlist.order import PASSING, PassedOver, in_order
from scheduling.waitlist.preferences import EntryPreferences
from scheduling.waitlist.stretches import Stretch

OFFERING = "offer freed time"
LEASE = timedelta(seconds=30)  # longer than it takes to look at one stretch of time
AGAIN = timedelta(seconds=1)  # when others book at the same time
MOST_ATTEMPTS = 5  # to offer time that others take meanwhile
MOST_PASSED = 50  # entries that an offer names as passed over


def offer_freed_time(*, now: datetime) -> bool:
    """Look at the stretch of free time that is due first, and offer what fits. Returns False if none is due."""
    aside = Parking(OFFERING, FreedTime, now=now)
    due = FreedTime.objects.filter(Q(claimed_until=None) | Q(claimed_until__lte=now), closed=None, due__lte=now)
    with transaction.atomic(durable=True):
        freed = aside.claim(due.order_by("due", "pk"), lambda row: _take(row, now))
    if freed is None:
        return False
    aside.process_each([freed], lambda row: _offer(row, now), writes=False)
    return True


def _take(freed: FreedTime, now: datetime) -> None:
    freed.claimed_until = now + LEASE
    freed.save(update_fields=["claimed_until"])


@dataclass
class _Attempts:
    """The entries that were refused a time, and how often somebody else took a time first."""

    refused: dict[int, PassedOver] = field(default_factory=dict)
    lost: int = 0
    waits: bool = False


def _offer(freed: FreedTime, now: datetime) -> None:
    """Offer times of the stretch until nobody is left to ask, or no time is left."""
    attempts = _Attempts()
    while attempts.lost < MOST_ATTEMPTS:
        request = _next_offer(freed, attempts, now)
        if request is None:
            break
        try:
            booking.place_offer(request, now=now)
        except (TimeTaken, TimeNotOffered):
            attempts.lost += 1
        except IllegalTransition:  # the entry has ended, or another worker asks them for another time
            attempts.refused[request.entry.pk] = PassedOver.HAS_OFFER
        except SchedulingError:
            attempts.refused[request.entry.pk] = PassedOver.NOT_POSSIBLE
    _settle(freed, attempts, now)


def _settle(freed: FreedTime, attempts: _Attempts, now: datetime) -> None:
    """Let the stretch wait for the answer to an offer or for somebody who has another one, or close it.

    If it has become due again meanwhile it stays so.
    """
    mine = FreedTime.objects.filter(pk=freed.pk, claimed_until=freed.claimed_until)
    if attempts.lost >= MOST_ATTEMPTS:
        mine.update(due=now + AGAIN, claimed_until=None)
        return
    waits = attempts.waits or WaitlistOffer.objects.filter(freed=freed, outcome=WaitlistOffer.Outcome.OPEN).exists()
    settled = mine.filter(due=freed.due).update(due=None, claimed_until=None, closed=None if waits else now)
    if not settled:
        mine.update(claimed_until=None)


def _next_offer(freed: FreedTime, attempts: _Attempts, now: datetime) -> OfferRequest | None:
    """The first entry, in the order of its service, for which there is a time in the stretch, and that time."""
    for service in _services(freed):
        stretch = Stretch(freed, service, now)
        passed: list[tuple[str, str]] = []
        for preferences in in_turn(service, now=now):
            entry = preferences.entry
            fit = attempts.refused.get(entry.pk) or preferences.first_fit(stretch)
            if fit is None:
                break  # no time of the service is free there, for anybody
            if isinstance(fit, PassedOver):
                attempts.waits |= fit in PASSING
                passed.append((entry.fhir_id, fit.value))
                continue
            return OfferRequest(
                entry=entry,
                freed=freed,
                offerings=fit.offerings,
                start=fit.start,
                visit=preferences.visit,
                expires=fit.expires,
                told_at=fit.told_at,
                passed=passed[:MOST_PASSED],
            )
    return None


def in_turn(service: HealthcareService, *, now: datetime) -> Iterator[EntryPreferences]:
    """The preferences of those who wait for a service, in the order in which they are asked. Three statements."""
    entries = list(_entries(service))
    visits = booking.visits_to_move(entries, now=now)
    offers = _earlier_offers(entries)
    for entry in in_order(service, entries, visits):
        yield EntryPreferences(entry, visits.get(entry.pk), offers.get(entry.patient_id or 0, []), now)


def services_waited_for() -> QuerySet[HealthcareService]:
    """The services that somebody waits for, and that are offered to the waiting list."""
    waiting = Appointment.objects.filter(status=Appointment.Status.WAITLIST, deleted_at=None).order_by()
    return HealthcareService.objects.filter(
        pk__in=waiting.values("service"), active=True, deleted_at=None, has_waitlist=True
    )


def _services(freed: FreedTime) -> list[HealthcareService]:
    """The services that somebody waits for, that of the freed visit first."""
    services = services_waited_for()
    if freed.service_id is not None:
        services = services.filter(pk=freed.service_id)
    own = freed.appointment.service_id if freed.appointment else None
    return sorted(services, key=lambda service: (service.pk != own, service.pk))


def _entries(service: HealthcareService) -> Iterable[Appointment]:
    entries = Appointment.objects.filter(service=service, status=Appointment.Status.WAITLIST, deleted_at=None)
    return entries.exclude(patient=None).select_related("service", "patient", "site")


def _earlier_offers(entries: Collection[Appointment]) -> dict[int, list[WaitlistOffer]]:
    """The offers of the patients of these entries, without those that were withdrawn, by patient."""
    patients = {entry.patient_id for entry in entries}
    offers = WaitlistOffer.objects.filter(entry__patient__in=patients).exclude(outcome=WaitlistOffer.Outcome.GONE)
    found: dict[int, list[WaitlistOffer]] = {}
    for offer in offers.select_related("entry"):
        found.setdefault(offer.entry.patient_id or 0, []).append(offer)
    return found
