"""The first time in a stretch that an entry of the waiting list would take, or the reason why it takes none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from clinic.fhir.waitlist import preferences_of
from clinic.models import WEEKDAYS, Appointment, WaitlistOffer
from clinic.time_text import part_code
from scheduling.availability import FoundTime, Offering, as_datetime
from scheduling.notifications import quiet_hours
from scheduling.waitlist.order import PassedOver
from scheduling.waitlist.stretches import Stretch


@dataclass(frozen=True)
class Fit:
    """A time that an entry would take, with its schedules; when the patient can be told, and until when it is kept."""

    start: datetime
    offerings: tuple[Offering, ...]
    told_at: datetime
    expires: datetime


class EntryPreferences:
    """The preferences of an entry, with the visit that would move and the earlier offers to its patient."""

    def __init__(
        self, entry: Appointment, visit: Appointment | None, offers: Sequence[WaitlistOffer], now: datetime
    ) -> None:
        self.entry, self.visit = entry, visit
        self._offers, self._now = offers, now
        self._preferences = preferences_of(entry)

    def first_fit(self, stretch: Stretch) -> Fit | PassedOver | None:
        """The first time that they would take; the reason why they are not asked; None if no time is free there."""
        times = stretch.times_for(self.visit)
        if not times:
            return None
        if reason := self._reason_for_all():
            return reason
        reasons = []
        for time in times:
            fit = self._fit(time)
            if isinstance(fit, Fit):
                return fit
            reasons.append(fit)
        return reasons[0]

    def first_time(self, stretch: Stretch) -> tuple[datetime, tuple[Offering, ...]] | None:
        """Return the first time of the stretch, with its schedules, whatever the preferences; None if none is free."""
        time = next(iter(stretch.times_for(self.visit)), None)
        if time is None:
            return None
        chosen = self._choose(time)
        return as_datetime(time.start), time.offerings if isinstance(chosen, PassedOver) else chosen

    def _reason_for_all(self) -> PassedOver | None:
        """The reason why they are asked for no time at all, now."""
        if self._preferences.replaces:
            if self.visit is None or self.visit.start is None or self.visit.service is None:
                return PassedOver.NO_VISIT
            if self._now > self.visit.start - self.visit.service.cancellation_notice:
                return PassedOver.VISIT_FIXED
        if any(each.outcome == WaitlistOffer.Outcome.OPEN and each.entry_id == self.entry.pk for each in self._offers):
            return PassedOver.HAS_OFFER
        return None

    def _fit(self, time: FoundTime) -> Fit | PassedOver:
        offerings = self._choose(time)
        if isinstance(offerings, PassedOver):
            return offerings
        start, end = as_datetime(time.start), as_datetime(time.end)
        zone = next((each.zone for each in offerings if each.site is not None), offerings[0].zone)
        told_at = quiet_hours.end_of_quiet(self._now, zone)
        wanted, local = self._preferences, start.astimezone(zone)
        reasons = {
            PassedOver.NOT_EARLIER: self.visit is not None and self.visit.start is not None and end > self.visit.start,
            PassedOver.TOO_EARLY: wanted.not_before is not None and start < wanted.not_before,
            PassedOver.TOO_LATE: wanted.until is not None and start > wanted.until,
            PassedOver.WEEKDAY: bool(wanted.weekdays) and WEEKDAYS[local.weekday()] not in wanted.weekdays,
            PassedOver.PART_OF_DAY: bool(wanted.parts) and part_code(local) not in wanted.parts,
            PassedOver.NOTICE: start < told_at + wanted.notice or start <= told_at,
            PassedOver.ASKED_BEFORE: any(each.start < end and start < each.end for each in self._offers),
        }
        if reason := next((reason for reason, holds in reasons.items() if holds), None):
            return reason
        return Fit(start, offerings, told_at, min(told_at + self._length(told_at), start))

    def _length(self, told_at: datetime) -> timedelta:
        """Return how long an offer lasts once the patient is told: longer if the message waited for the morning."""
        service = self.entry.service
        minutes = service.waitlist_minutes if service is not None else None
        length: timedelta = settings.WAITLIST_OFFER_FOR if minutes is None else timedelta(minutes=minutes)
        return max(length, settings.WAITLIST_OFFER_AT_NIGHT) if told_at > self._now else length

    def _choose(self, time: FoundTime) -> tuple[Offering, ...] | PassedOver:
        """Return one schedule of each pool that the patient would take; or which preference leaves none."""
        chosen: list[Offering] = []
        for pool in time.choices:
            free = [each for each in pool if each.bookable not in {other.bookable for other in chosen}]
            at_site = [each for each in free if self._is_wanted_site(each)]
            wanted = [each for each in at_site if self._is_wanted_person(each)]
            if not wanted:
                return PassedOver.SITE if not at_site else PassedOver.PRACTITIONER
            chosen.append(wanted[0])
        return tuple(chosen)

    def _is_wanted_site(self, offering: Offering) -> bool:
        sites = self._preferences.sites
        return not sites or offering.site is None or offering.site_reference in sites

    def _is_wanted_person(self, offering: Offering) -> bool:
        people = self._preferences.practitioners
        if not people or not offering.actor.startswith("Practitioner"):
            return True
        return offering.actor in people or offering.person in people
