"""Entries of the waiting list as pages show them: what is wanted, and the time that is offered now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import dates
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.country import clinic_zone
from clinic.fhir.waitlist import WaitlistPreferences, preferences_of
from clinic.models import WEEKDAYS, Appointment, Patient
from clinic.time_text import full_day
from clinic.translations import text_of
from portal.appointments.visits import Visit
from scheduling import booking
from scheduling.access import Caller
from scheduling.notifications import links
from scheduling.visit_zone import zones_of


@dataclass(frozen=True, kw_only=True)
class WaitingEntry:
    """An entry, with the booked visit that would move and the visit that is offered, if there are any."""

    entry: Appointment
    now: datetime
    visit: Visit | None = None
    offer: Visit | None = None

    @property
    def id(self) -> str:
        return self.entry.fhir_id

    @property
    def name(self) -> str:
        return text_of(self.entry.service, "name") or _("Visit")

    @property
    def token(self) -> str:
        """The token of the entry's page, which authorises everybody who has it."""
        return token_of(self.entry)

    @property
    def patient(self) -> Patient | None:
        return self.entry.patient

    @property
    def is_over(self) -> bool:
        return not self.entry.is_waiting

    @property
    def since(self) -> datetime:
        return self.entry.created.astimezone(self.zone)

    @cached_property
    def preferences(self) -> WaitlistPreferences:
        return preferences_of(self.entry)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the preferred days: that of the visit that would move, else of the site, or of the clinic."""
        if self.visit is not None:
            return self.visit.zone
        site = self.entry.site
        return ZoneInfo(site.timezone) if site is not None and site.timezone else clinic_zone()

    @property
    def facts(self) -> list[tuple[Any, str]]:
        """The preferences with their labels, without those that do not matter to the patient."""
        wanted = self.preferences
        notice = int(wanted.notice.total_seconds() // 3600)
        facts = [
            (_("With"), _joined(name for reference, name in wanted.actors if reference in wanted.practitioners)),
            (_("Where"), _joined(name for reference, name in wanted.actors if reference in wanted.sites)),
            (
                _("Days"),
                _joined(str(dates.WEEKDAYS[WEEKDAYS.index(day)]) for day in WEEKDAYS if day in wanted.weekdays),
            ),
            (_("Time of day"), _joined(word for part, word in _parts().items() if part in wanted.parts)),
            (_("Not before"), self._day(wanted.not_before)),
            (_("Wait until"), self._day(wanted.until, last=True)),
            (_("Notice"), ngettext("%(count)d hour", "%(count)d hours", notice) % {"count": notice} if notice else ""),
        ]
        return [(label, value) for label, value in facts if value]

    def _day(self, moment: datetime | None, *, last: bool = False) -> str:
        if moment is None:
            return ""
        return full_day((moment - timedelta(microseconds=1) if last else moment).astimezone(self.zone))


def token_of(entry: Appointment) -> str:
    """Return the token of the page of an entry."""
    return links.waitlist_link(entry).rstrip("/").rpartition("/")[2]


def read_entries(entries: Iterable[Appointment], *, now: datetime) -> list[WaitingEntry]:
    """Return the entries with their visits and offers. A constant number of queries."""
    entries = list(entries)
    visits = booking.visits_to_move(entries, now=now)
    offers = {pk: offer.hold for pk, offer in booking.standing_offers(entries, now=now).items()}
    zones = zones_of([*visits.values(), *offers.values()])
    return [
        WaitingEntry(
            entry=entry,
            now=now,
            visit=_visit(visits.get(entry.pk), zones, now),
            offer=_visit(offers.get(entry.pk), zones, now),
        )
        for entry in entries
    ]


def entries_of(caller: Caller, *, now: datetime) -> list[WaitingEntry]:
    """Return the entries of the caller and of the people they care for, the oldest first."""
    rows = Appointment.objects.filter(
        patient__in=caller.patients, status=Appointment.Status.WAITLIST, deleted_at=None
    ).exclude(service=None)
    return read_entries(rows.select_related("service", "patient", "site").order_by("created", "pk"), now=now)


def entry_by_token(token: str, *, now: datetime) -> WaitingEntry | None:
    """Return the entry that a link is for, also once it has ended; None for an invalid link."""
    fhir_id = links.read_waitlist_link(token)
    rows = Appointment.objects.filter(fhir_id=fhir_id, deleted_at=None).exclude(service=None)
    found = rows.select_related("service", "patient", "site").first() if fhir_id else None
    return None if found is None else read_entries([found], now=now)[0]


def entry_about(visit: Appointment, *, now: datetime) -> WaitingEntry | None:
    """Return the entry that would move a visit, or None."""
    rows = Appointment.objects.filter(
        patient=visit.patient_id, service=visit.service_id, status=Appointment.Status.WAITLIST, deleted_at=None
    )
    about = [row for row in rows.select_related("service", "patient", "site") if _is_about(row, visit)]
    return read_entries(about[:1], now=now)[0] if about else None


def _is_about(entry: Appointment, visit: Appointment) -> bool:
    return preferences_of(entry).replaces == visit.reference


def _visit(appointment: Appointment | None, zones: dict[int, ZoneInfo], now: datetime) -> Visit | None:
    return None if appointment is None else Visit(appointment, zones[appointment.pk], now)


def _parts() -> dict[str, str]:
    return {"morning": _("Morning"), "afternoon": _("Afternoon"), "evening": _("Evening")}


def _joined(words: Iterable[str]) -> str:
    return ", ".join(words)
