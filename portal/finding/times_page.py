"""The page of free times of a service: its context, and the time zone that was chosen on it."""

from dataclasses import replace
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils.translation import get_language

from clinic.models import Appointment, Delay, HealthcareService
from clinic.translations import actor_name
from clinic.visit_place import chosen_zone
from portal.common.callers import caller_of
from portal.common.htmx import HtmxRequest
from portal.finding import catalogue, filters, months, positions, times, weeks
from portal.finding.filters import Filters
from portal.finding.forms import TimesForm, ZoneForm
from portal.finding.positions import Position
from portal.finding.times import DAY, FilterOption, Menu
from portal.finding.weeks import FreeDays
from portal.finding.zones import zones_by_region
from scheduling.waiting import delays_on


def free_times(
    request: HtmxRequest,
    service: HealthcareService,
    *,
    now: datetime,
    without: Appointment | None = None,
    besides: tuple[int, ...] = (),
) -> dict[str, Any]:
    """Return the context of the page of times. `without` is a visit that is being moved: its own time is free, and that
    of the visits `besides`, by their primary keys, which are moved with it.
    """
    form = TimesForm(request.GET)
    zone = requested_zone(request, service, moved=without)
    caller = caller_of(request)
    patient = caller.only_patient if without is None else None  # a visit that is moved keeps its patients
    whole = replace(times.read_menu(service, moved=without), zone=zone, besides=besides, patient=patient)
    position = positions.remembered(request.session)
    narrowing = filters.read_filters(whole, request.GET, position)
    menu = near_by(narrowing, position)
    month, day = form.value("month"), form.value("date")
    free_days = (
        months.read_month(menu, month, day, now=now)
        if month
        else weeks.read_week(menu, form.value("week"), day, now=now)
    )
    return {
        "card": catalogue.card_of(service),
        "service": service,
        "menu": whole,
        "zones": menu.zones or whole.zones,
        "regions": zones_by_region(filter(None, (menu.zone, *whole.zones)), now) if service.telehealth else (),
        "filters": narrowing,
        "people": narrowing.people_left(),
        "suggestions": narrowing.suggestions(caller.patient),
        "free_days": free_days,
        "is_month": bool(month),
        "narrowed": menu,
        "asked_day": day or form.value("week"),
        "others": _others(narrowing, free_days, now=now),
        "position": position,
        "late": _late_people(menu, free_days, now=now),
        "closed": _closed_days(menu, free_days),
        "has_site_positions": any(site.latitude is not None for site in whole.places),
    }


def near_by(narrowing: Filters, position: Position | None) -> Menu:
    """Return the menu that the filters leave, sorted by distance unless a site was chosen."""
    menu = narrowing.narrowed()
    by_distance = position is not None and menu.has_several_sites and not narrowing.each["location"].chosen
    return replace(menu, position=position if by_distance else None)


def requested_zone(
    request: HttpRequest, service: HealthcareService, *, moved: Appointment | None = None
) -> ZoneInfo | None:
    """Return the zone that the patient chose on the page of times, for visits by video only.

    Without a choice, a visit that is being `moved` keeps the zone in which it was booked.
    """
    if not service.telehealth:
        return None
    data = request.POST if request.method == "POST" else request.GET
    if "zone" not in data and moved is not None:
        return chosen_zone(moved)
    zone: ZoneInfo | None = ZoneForm(data).value("zone")
    return zone


def _late_people(menu: Menu, free_days: FreeDays, *, now: datetime) -> list[Delay]:
    """Return the people of the menu who run late, if the opened day is today. No query for another day."""
    opened = free_days.opened
    if opened is None or opened.date != weeks.today_of(menu, now):
        return []
    delays = delays_on(opened.date, {each.bookable for each in menu.all_offerings})
    return sorted(delays.values(), key=lambda delay: actor_name(delay.bookable.actor))


def _closed_days(menu: Menu, free_days: FreeDays) -> list[tuple[date, str]]:
    """Return the shown days without free times on which a closure has a reason that patients read. No query."""
    years = free_days.first.year - 1, free_days.last.year
    closed = {closed for offering in menu.all_offerings for closed in offering.rules.closed_times if closed.reasons}
    found = {
        (day.date, _in_the_readers_language(dict(each.reasons)))
        for each in closed
        for start, end in each.between_years(*years)
        for day in free_days.days
        if not day.count and start.date() <= day.date < end.date() + (end.time() > time()) * DAY
    }
    return sorted((day, reason) for day, reason in found if reason)


def _in_the_readers_language(reasons: dict[str, str]) -> str:
    return reasons.get(get_language() or "", reasons[""])


def _others(narrowing: Filters, free_days: FreeDays, *, now: datetime) -> list[FilterOption]:
    """Return the other practitioners with free times, if the chosen one has none."""
    people = narrowing.each["practitioner"]
    if free_days.count or not people.chosen:
        return []
    return weeks.others_in(narrowing.narrowed(without="practitioner"), free_days, people.options, now=now)
