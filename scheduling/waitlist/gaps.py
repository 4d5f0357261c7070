"""A gap of a calendar, and who on the waiting list it suits; staff offer it or book it on the phone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _

from clinic.models import Appointment, FreedTime, HealthcareService, WaitlistOffer
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.availability import Offering
from scheduling.booking import OfferRequest
from scheduling.errors import NotFound, RuleBroken, TimeTaken
from scheduling.waitlist.matching import MOST_PASSED, in_turn, services_waited_for
from scheduling.waitlist.order import PassedOver
from scheduling.waitlist.preferences import Fit
from scheduling.waitlist.stretches import Stretch


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of time of one bookable, by its primary key, that is free now."""

    bookable: int
    start: datetime
    end: datetime

    def stretch(self, service: HealthcareService, now: datetime) -> Stretch:
        return Stretch(FreedTime(bookable_id=self.bookable, start=self.start, end=self.end), service, now)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who waits, in their place, and the first time of the gap that they would take.

    `reason` says why they would take none; `start` is then the first that they can be asked about on the phone.
    """

    entry: Appointment
    place: int
    visit: Appointment | None
    start: datetime
    offerings: tuple[Offering, ...]
    fit: Fit | None = None
    reason: PassedOver | None = None


def candidates(caller: Caller, gap: Gap, *, now: datetime) -> dict[HealthcareService, list[Candidate]]:
    """Return those who wait for the services that the caller works with, in the order in which they are asked.

    A service for whose visits there is no time in the gap has none. The number of statements grows with the services.
    """
    services = services_waited_for().filter(pk__in=access.services_worked_with(caller).values("pk"))
    return {service: _candidates_for(service, gap, now) for service in services.order_by("name", "pk")}


def offer_gap(entry_id: str, start: datetime, gap: Gap, *, caller: Caller, now: datetime) -> WaitlistOffer:
    """Offer a time of the gap to an entry that would take it, as a worker does with time that came free.

    Raises NotFound if nobody waits by that id; TimeTaken if it is not the first time of the gap for them any more;
    RuleBroken if they would not take it; everything that `place_offer` raises.
    """
    candidate, before = _candidate(entry_id, start, gap, caller, now)
    if candidate.fit is None:
        raise RuleBroken(_("This time does not suit them any more."))
    passed = [(each.entry.fhir_id, each.reason.value) for each in before if each.reason is not None]
    return booking.place_offer(_request(candidate, passed[:MOST_PASSED], now), caller=caller, now=now)


def book_gap(entry_id: str, start: datetime, gap: Gap, *, caller: Caller, now: datetime) -> Appointment:
    """Book a time of the gap for somebody on the phone, whatever they had wished for. Raises as `offer_gap` does."""
    candidate, _before = _candidate(entry_id, start, gap, caller, now)
    return booking.book_for_waiting(_request(candidate, (), now), caller=caller, now=now)


def _request(candidate: Candidate, passed: Sequence[tuple[str, str]], now: datetime) -> OfferRequest:
    fit = candidate.fit
    return OfferRequest(
        entry=candidate.entry,
        freed=None,
        offerings=candidate.offerings,
        start=candidate.start,
        visit=candidate.visit,
        expires=fit.expires if fit else candidate.start,
        told_at=fit.told_at if fit else now,
        passed=passed,
    )


def _candidate(
    entry_id: str, start: datetime, gap: Gap, caller: Caller, now: datetime
) -> tuple[Candidate, list[Candidate]]:
    """The candidate with this time, and those before them."""
    entry = access.waiting(caller).filter(fhir_id=entry_id).exclude(service=None).select_related("service").first()
    if entry is None:
        raise NotFound("There is no such entry of the waiting list.")
    assert entry.service is not None  # those without are left out
    every = _candidates_for(entry.service, gap, now)
    found = next((each for each in every if each.entry == entry), None)
    if found is None or found.start != start:
        raise TimeTaken
    return replace(found, entry=entry), every[: every.index(found)]


def _candidates_for(service: HealthcareService, gap: Gap, now: datetime) -> list[Candidate]:
    stretch = gap.stretch(service, now)
    found = []
    for place, preferences in enumerate(in_turn(service, now=now), start=1):
        fit, first = preferences.first_fit(stretch), preferences.first_time(stretch)
        if fit is None or first is None:
            continue
        entry, visit = preferences.entry, preferences.visit
        if isinstance(fit, Fit):
            found.append(Candidate(entry, place, visit, fit.start, fit.offerings, fit=fit))
        else:
            found.append(Candidate(entry, place, visit, *first, reason=fit))
    return found
