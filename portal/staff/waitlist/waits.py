"""The waiting list and its offers as staff see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from clinic.country import clinic_zone
from clinic.local_time import in_zone
from clinic.models import Appointment, HealthcareService, User, WaitlistCall, WaitlistOffer
from portal.appointments import waiting
from portal.appointments.visits import Visit
from portal.appointments.waiting import WaitingEntry
from portal.staff.waitlist.forms import PRIORITIES
from scheduling import access, booking, waitlist
from scheduling.access import Caller
from scheduling.visit_zone import zones_of_place
from scheduling.waitlist import FillFigure, PassedOver

REASONS = {
    PassedOver.PRACTITIONER: _("wants somebody else"),
    PassedOver.SITE: _("wants another place"),
    PassedOver.WEEKDAY: _("not on that day of the week"),
    PassedOver.PART_OF_DAY: _("not at that time of day"),
    PassedOver.TOO_EARLY: _("not so soon"),
    PassedOver.TOO_LATE: _("not so late"),
    PassedOver.NOTICE: _("needs more notice"),
    PassedOver.NOT_EARLIER: _("has an earlier visit"),
    PassedOver.VISIT_FIXED: _("too late to move the booked visit"),
    PassedOver.NO_VISIT: _("the visit is no longer booked"),
    PassedOver.ASKED_BEFORE: _("was asked for that time before"),
    PassedOver.HAS_OFFER: _("has another offer"),
    PassedOver.NOT_POSSIBLE: _("cannot come then, or cannot be told"),
}
OUTCOMES = {
    WaitlistOffer.Outcome.OPEN: _("Waiting for an answer"),
    WaitlistOffer.Outcome.TAKEN: _("Taken"),
    WaitlistOffer.Outcome.DECLINED: _("Let pass"),
    WaitlistOffer.Outcome.LAPSED: _("Not answered"),
    WaitlistOffer.Outcome.GONE: _("Withdrawn"),
}


@dataclass(frozen=True, slots=True)
class QueueRow:
    """Somebody who waits, with their place and the calls to them, the latest first."""

    place: int
    waiting: WaitingEntry
    calls: Sequence["CallRow"] = ()

    @property
    def entry(self) -> Appointment:
        return self.waiting.entry

    @property
    def priority(self) -> int:
        return int(self.entry.extra.get("priority") or 0)

    @property
    def priorities(self) -> list[tuple[int, Any]]:
        """The priorities that can be chosen; one that software has set is among them."""
        other = {} if self.priority in PRIORITIES else {self.priority: str(self.priority)}
        return [*PRIORITIES.items(), *other.items()]


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call to somebody who waits, with its time by the clinic's clock. `reader` is who reads the page."""

    call: WaitlistCall
    reader: User | None

    @property
    def called(self) -> datetime:
        return in_zone(self.call.called, clinic_zone())

    @property
    def who(self) -> str:
        return self.call.called_by.display_name if self.call.called_by else str(_("Somebody"))

    @property
    def outcome(self) -> Any:
        return self.call.get_outcome_display()

    @property
    def is_own(self) -> bool:
        """True if the reader has noted it, and so can remove it."""
        return self.reader is not None and self.call.called_by == self.reader


@dataclass(frozen=True, slots=True)
class Queue:
    """Waiting list of a service: its entries in the order in which offers are made."""

    service: HealthcareService
    rows: Sequence[QueueRow]

    @property
    def order(self) -> str:
        return str(HealthcareService.WaitlistOrder(self.service.waitlist_order).label)


@dataclass(frozen=True, slots=True)
class OfferRow:
    """An offer as a line of the log; its times are in the zone of the visit's place."""

    offer: WaitlistOffer
    visit: Visit
    passed: Sequence[tuple[str, Any]]

    @property
    def entry(self) -> Appointment:
        return self.offer.entry

    @property
    def offered(self) -> datetime:
        return in_zone(self.offer.offered, self.visit.zone)

    @property
    def answered(self) -> datetime | None:
        return None if self.offer.answered is None else in_zone(self.offer.answered, self.visit.zone)

    @property
    def outcome(self) -> Any:
        return OUTCOMES[WaitlistOffer.Outcome(self.offer.outcome)]

    @property
    def rule(self) -> Any:
        if self.offer.rule == booking.BY_STAFF:
            return _("Chosen by staff")
        return HealthcareService.WaitlistOrder(self.offer.rule).label


def read_queues(caller: Caller, *, now: datetime) -> list[Queue]:
    """Return the queues of the services that the caller works with. A constant number of queries."""
    waits = waitlist.read_waits(caller, now=now)
    entries = [wait.entry for of_service in waits.values() for wait in of_service]
    shown = {each.entry.pk: each for each in waiting.read_entries(entries, now=now)}
    calls = calls_of(entries, caller)
    return [
        Queue(service, [QueueRow(wait.place, shown[wait.entry.pk], calls[wait.entry.pk]) for wait in of_service])
        for service, of_service in waits.items()
    ]


def calls_of(entries: Sequence[Appointment], caller: Caller) -> dict[int, list[CallRow]]:
    """Return the calls about each of the entries, by its primary key. One query."""
    found = waitlist.calls_of(entries)
    return {entry.pk: [CallRow(call, caller.user) for call in found.get(entry.pk, ())] for entry in entries}


def read_calls(caller: Caller, *, most: int | None = None) -> list[CallRow]:
    """Return the last calls, by default all, the latest first. One query."""
    return [CallRow(call, caller.user) for call in waitlist.last_calls(caller, most=most)]


def read_offers(caller: Caller, *, most: int | None = None) -> list[OfferRow]:
    """Return the last offers, by default all, the newest first. A constant number of queries."""
    offers = waitlist.offers_of(caller, most=most)
    zones = zones_of_place([offer.hold for offer in offers])
    ids = {fhir_id for offer in offers for fhir_id, _reason in offer.passed}
    passed = Appointment.objects.filter(fhir_id__in=ids).select_related("patient")
    names = {entry.fhir_id: str(entry.patient) for entry in passed}
    return [
        OfferRow(
            offer,
            Visit(offer.hold, zones[offer.hold_id], offer.offered),
            [
                (names[fhir_id], REASONS[PassedOver(reason)])
                for fhir_id, reason in offer.passed
                if fhir_id in names and reason in set(PassedOver)
            ],
        )
        for offer in offers
    ]


def figure_of(caller: Caller, start: datetime, end: datetime) -> FillFigure:
    """Return how much of the time that came free in a period was filled, of the services that the caller works with."""
    services = None if caller.sees_clinic else list(access.services_worked_with(caller).values_list("pk", flat=True))
    return waitlist.fill_figure(start, end, services=services)
