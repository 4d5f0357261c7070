"""Weekly hours, closures and how a service is given, as people say them."""

import json
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import Prefetch
from django.urls import reverse
from django.utils.dates import WEEKDAYS as WEEKDAY_NAMES
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import words
from clinic.models import HealthcareService, Schedule, SchedulingParameters, Slot
from portal import calendar
from portal.visits import SCHEDULE
from scheduling import access, opening
from scheduling.access import Caller
from scheduling.opening import ALL_DAY, Change, Preview, Span, Terms, Version, Week

Json = dict[str, Any]
DATE = len("2026-12-31")


@dataclass(frozen=True, slots=True)
class Closure:
    """A notAvailable element: as it is kept, and as it is said."""

    entry: Json
    when: str
    description: str
    is_over: bool

    @property
    def written(self) -> str:
        """For a hidden field."""
        return json.dumps(self.entry)


@dataclass(frozen=True, slots=True)
class Extra:
    """One-off time, local to its calendar."""

    start: datetime
    end: datetime
    note: str
    is_for_all: bool
    remove: str


@dataclass(frozen=True, slots=True)
class Times:
    """How many times can be booked in a stretch of days, before a change and after it."""

    label: str
    before: int
    after: int

    @property
    def difference(self) -> str:
        more = self.after - self.before
        if more == 0:
            return _("the same")
        pattern = _("%(count)d more") if more > 0 else _("%(count)d fewer")
        return pattern % {"count": abs(more)}

    @property
    def tone(self) -> str:
        return "more" if self.after > self.before else "fewer" if self.after < self.before else "same"


@dataclass(frozen=True, slots=True)
class Line:
    """A service on a calendar, in the list of all."""

    service: HealthcareService
    schedule: Schedule | None
    says: list[tuple[str, str]]
    is_own: bool

    @property
    def address(self) -> str:
        return address("hours-edit", self.service, self.schedule)


class Place:
    """What is being set, as its pages show it: one service, on one calendar or as a whole."""

    def __init__(self, terms: Terms, now: datetime) -> None:
        self.terms = terms
        self.now = now

    @property
    def title(self) -> str:
        return self.terms.service.name

    @property
    def whose(self) -> str:
        return calendar.name(self.terms.schedule) if self.terms.schedule else _("All calendars that give it")

    @property
    def zone(self) -> str:
        if self.terms.zone:
            return words.zone_name(self.terms.zone)
        return _("Each calendar in its own time") if self.terms.offerings else _("No time zone is set")

    @property
    def pages(self) -> dict[str, str]:
        """The addresses below it, by the last word of their names."""
        names = ["edit", "remove", "settings", "closures", "closures-remove", "undo"]
        names += ["extra"] if self.terms.schedule else []
        return {
            name.replace("-", "_"): address(f"hours-{name}", self.terms.service, self.terms.schedule) for name in names
        }

    @property
    def today(self) -> date:
        return self.terms.today(self.now)

    @property
    def has_own(self) -> bool:
        """Whether this calendar has hours of its own. Those of a service as a whole are its own."""
        return self.terms.schedule is None or bool(self.terms.row and self.terms.row.availability is not None)

    @cached_property
    def versions(self) -> list[Version]:
        """The hours in force: its own, or the service's."""
        return opening.read(effective(self.terms.row, self.terms.general))

    @property
    def services_hours(self) -> list[tuple[str, str]]:
        """The service's own hours today, in words."""
        versions = opening.read(self.terms.general.availability if self.terms.general else None)
        return in_words(opening.in_force(versions, self.today).week)

    @property
    def closures(self) -> list[Closure]:
        """Those to come, on this calendar."""
        return self._closures(self.terms.row)

    @property
    def services_closures(self) -> list[Closure]:
        """Those of the service as a whole, which hold here too."""
        return self._closures(self.terms.general) if self.terms.schedule else []

    @property
    def known_zone(self) -> ZoneInfo:
        return self.terms.zone or ZoneInfo("UTC")

    def extra_times(self) -> list["Extra"]:
        """One-off time that is still to come."""
        return [self.extra(slot) for slot in opening.extra_times(self.terms, now=self.now)]

    def extra(self, slot: Slot) -> "Extra":
        named = {"service_id": self.terms.service.fhir_id, "slot_id": slot.fhir_id}
        schedule_id = self.terms.schedule.fhir_id if self.terms.schedule else ""
        remove = reverse("portal:hours-extra-remove", kwargs={**named, "schedule_id": schedule_id})
        start, end = (moment.astimezone(self.known_zone) for moment in (slot.start, slot.end))
        return Extra(start, end, slot.comment, not slot.service_type, remove)

    def _closures(self, row: SchedulingParameters | None) -> list[Closure]:
        found = [closure(entry, self.known_zone, self.today) for entry in (row.not_available if row else ())]
        return sorted(
            (each for each in found if not each.is_over), key=lambda each: each.entry.get("during", {}).get("start", "")
        )


def address(page: str, service: HealthcareService, schedule: Schedule | None) -> str:
    named = {"schedule_id": schedule.fhir_id} if schedule else {}
    return reverse(f"portal:{page}", kwargs={"service_id": service.fhir_id, **named})


def effective(row: SchedulingParameters | None, general: SchedulingParameters | None) -> list[Json]:
    """The availableTime elements that count where `row` stands before the service's."""
    found = [each.availability for each in (row, general) if each and each.availability is not None]
    return found[0] if found else []


def lists(caller: Caller, *, now: datetime) -> tuple[list[tuple[Schedule, list[Line]]], list[Line]]:
    """The calendars that the caller works by, each with its services; and the services as a whole, for administrators.

    The statements are as many for one calendar as for a hundred.
    """
    active = HealthcareService.objects.filter(active=True, deleted_at=None)
    everything = list(active)
    rows = {(each.service_id, each.schedule_id): each for each in SchedulingParameters.objects.all()}
    schedules = access.calendars(caller).select_related(*SCHEDULE)
    schedules = schedules.prefetch_related("scheduling_parameters", Prefetch("services", active))

    closed = spans_in_words(())

    def line(service: HealthcareService, schedule: Schedule | None) -> Line:
        row = rows.get((service.pk, schedule.pk if schedule else None))
        today = now.astimezone(calendar.zone_of(schedule) if schedule else ZoneInfo("UTC")).date()
        versions = opening.read(effective(row, rows.get((service.pk, None))))
        is_own = bool(schedule and row and row.availability is not None)
        says = in_words(opening.in_force(versions, today).week)
        return Line(service, schedule, [each for each in says if each[1] != closed] or says, is_own)

    given = [
        (each, [line(service, each) for service in (everything if each.offers_all_services else each.services.all())])
        for each in sorted(schedules, key=calendar.name)
    ]
    return given, [line(service, None) for service in everything] if caller.is_administrator else []


def in_words(week: Week) -> list[tuple[str, str]]:
    """Days and their hours: those in a row that are alike together."""
    alike = groupby(range(len(week)), key=lambda weekday: week[weekday])
    return [(_days(list(weekdays)), spans_in_words(spans)) for spans, weekdays in alike]


def spans_in_words(spans: Sequence[Span]) -> str:
    return _(" and ").join(map(_span, spans)) if spans else _("closed")


def since(version: Version) -> str:
    """Since always, or From Friday 1 May 2026."""
    if version.first is None:
        return _("Since always")
    return _("From %(day)s") % {"day": words.full_day(version.first)}


def how_given(row: SchedulingParameters | None, general: SchedulingParameters | None) -> str:
    """30 minutes, 5 before, 10 after, every 15 minutes."""

    def either(name: str) -> Any:
        found = (getattr(each, name) for each in (row, general) if each)
        return next((value for value in found if value is not None), None)

    duration, before, after = either("duration"), either("buffer_before"), either("buffer_after")
    capacity = either("slot_capacity") or 1
    parts = [minutes(duration) if duration else _("no length is set")]
    parts += [_("%(minutes)s before") % {"minutes": minutes(before)}] if before else []
    parts += [_("%(minutes)s after") % {"minutes": minutes(after)}] if after else []
    parts.append(_("starts every %(minutes)s") % {"minutes": minutes(either("alignment_interval") or 60)})
    parts += [ngettext("%(count)d place", "%(count)d places", capacity) % {"count": capacity}] if capacity > 1 else []
    return ", ".join(parts)


def changed_settings(form: forms.Form, terms: Terms, change: Change) -> list[tuple[str, str]]:
    """The sentence that says how it would be given, and what else would be other, by its label."""
    row = copy(terms.row) if terms.row else SchedulingParameters()
    for name, value in change.parameters.items():
        setattr(row, name, value)
    general = terms.general if terms.schedule else row
    said = [(_("Visits"), how_given(row, general))]
    return said + [
        (str(form[name].label), _value(form, name)) for name in form.changed_data if name not in change.parameters
    ]


def _value(form: forms.Form, name: str) -> str:
    value, field = form.cleaned_data[name], form.fields[name]
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, timedelta):
        return words.length(value)
    if isinstance(field, forms.ModelMultipleChoiceField):
        return ", ".join(map(str, value)) or _("none")
    if isinstance(field, forms.ChoiceField):
        return str(dict(field.choices).get(value, value))  # type: ignore[arg-type]
    return _("none") if value in (None, "") else str(value)


def minutes(count: int) -> str:
    return ngettext("%(count)d minute", "%(count)d minutes", count) % {"count": count}


def closure(entry: Json, zone: ZoneInfo, today: date) -> Closure:
    during = entry.get("during") or {}
    start: str | None = during.get("start")
    end: str | None = during.get("end")
    is_over = end is not None and end[:DATE] < today.isoformat()[: len(end[:DATE])]
    return Closure(entry, _during(start, end, zone), entry.get("description", ""), is_over)


def _during(start: str | None, end: str | None, zone: ZoneInfo) -> str:
    first, last = (_moment(each, zone) if each else "" for each in (start, end))
    if first == last:
        return first or _("Never")
    if first and last:
        return _("%(start)s to %(end)s") % {"start": first, "end": last}
    return _("From %(day)s on") % {"day": first} if first else _("Until %(day)s") % {"day": last}


def _moment(written: str, zone: ZoneInfo) -> str:
    """A FHIR dateTime: a year, a month, a day or an instant."""
    if len(written) < DATE:
        return written
    if len(written) == DATE:
        return words.full_day(date.fromisoformat(written))
    moment = datetime.fromisoformat(written).astimezone(zone)
    return f"{words.full_day(moment)}, {words.clock(moment)}"


def _span(span: Span) -> str:
    opens, closes = span
    if span == ALL_DAY:
        return _("all day")
    shown = {"start": f"{opens:%H:%M}", "end": f"{closes:%H:%M}"}
    if f"{closes:%H:%M}" == "00:00":
        return _("%(start)s to midnight") % shown
    return (_("%(start)s to %(end)s") if opens < closes else _("%(start)s to %(end)s the next day")) % shown


def _days(weekdays: Sequence[int]) -> str:
    names = [str(WEEKDAY_NAMES[weekday]) for weekday in weekdays]
    if len(names) == 1:
        return names[0]
    pattern = _("%(first)s and %(last)s") if len(names) == 2 else _("%(first)s to %(last)s")
    return pattern % {"first": names[0], "last": names[-1]}


def total(preview: Preview) -> Times:
    return Times("", sum(week.before for week in by_week(preview)), sum(week.after for week in by_week(preview)))


def by_week(preview: Preview) -> list[Times]:
    """Each seven days of a preview."""
    return [
        Times(_("%(first)s to %(last)s") % {"first": words.short_day(first), "last": words.short_day(last)}, *counts)
        for first, last, *counts in preview.weeks
    ]


def by_day(preview: Preview) -> list[Times]:
    """The days that gain or lose times."""
    return [Times(words.short_day(day), before, after) for day, before, after in preview.changed]
