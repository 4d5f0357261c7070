"""The pages of a practitioner and of a site: what can be booked there, the next free times, and the opening hours."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

from django.utils import dates
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from clinic import formats
from clinic.models import WEEKDAYS, Location, Practitioner, Schedule
from clinic.named_concepts import specialty_name
from clinic.zones import zone_named
from portal.finding.catalogue import ServiceCard, read_catalogue
from portal.finding.times import Choice, Menu, is_person, read_menu
from scheduling.availability import Offering
from scheduling.core.hours import Window
from scheduling.core.intervals import merge
from scheduling.core.recurrence import EVERY_WEEK

Keep = Callable[[Offering], bool]

MOST_SEARCHED = 8  # services of which the page shows the next free time
MINUTES_OF_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Offer:
    """A service that can be booked with a practitioner or at a site, and its next free time if that was searched."""

    card: ServiceCard
    next_time: Choice | None
    query: str  # of the page of times, which names the person or the place


@dataclass(frozen=True, slots=True)
class OpenDays:
    """Consecutive days of the week that have the same opening hours, both in words."""

    days: str
    hours: str


@dataclass(frozen=True)
class Profile:
    """Services that can be booked with a practitioner or at a site, and their times."""

    offers: Sequence[Offer]
    menus: Sequence[Menu]


def practitioner_profile(practitioner: Practitioner, *, now: datetime) -> Profile:
    bookable = practitioner.bookable.pk if hasattr(practitioner, "bookable") else None

    def with_them(offering: Offering) -> bool:
        return offering.bookable == bookable or not is_person(offering)

    return _profile(with_them, practitioner, None, now)


def site_profile(site: Location, *, now: datetime) -> Profile:
    def there(offering: Offering) -> bool:
        return offering.site in (None, site.pk)

    return _profile(there, None, site, now)


def sites_of(practitioner: Practitioner) -> list[Location]:
    """Return the sites where the practitioner can be booked, sorted by name."""
    schedules = Schedule.objects.filter(bookable__practitioner=practitioner, active=True, deleted_at=None)
    sites = Location.objects.filter(pk__in=schedules.values("site"), status=Location.Status.ACTIVE, deleted_at=None)
    return list(sites.order_by("name"))


def specialties_of(practitioner: Practitioner) -> list[str]:
    """Return the names of the specialties of the practitioner's roles, each once."""
    roles = practitioner.roles.filter(active=True, deleted_at=None)
    return list(dict.fromkeys(specialty_name(concept) for role in roles for concept in role.specialty))


def people_at(site: Location) -> list[Practitioner]:
    """Return the practitioners who can be booked at the site, sorted by name."""
    schedules = Schedule.objects.filter(site=site, active=True, deleted_at=None)
    people = Practitioner.objects.filter(bookable__in=schedules.values("bookable"), active=True, deleted_at=None)
    return list(people.order_by("family", "given", "pk"))


def opening_hours(site: Location, menus: Iterable[Menu], *, today: date) -> list[OpenDays]:
    """Return the opening hours of a site: those in FHIR's hoursOfOperation, else those of its practitioners."""
    stated = site.extra.get("hoursOfOperation")
    open_on = _stated_hours(stated) if isinstance(stated, list) and stated else _computed_hours(site, menus, today)
    hours = {day: _in_words(spans) for day, spans in open_on.items() if spans}
    lines = []
    for text, days in groupby((day for day in formats.weekdays() if day in hours), key=lambda day: hours[day]):
        lines.append(OpenDays(_days_in_words(list(days)), text))
    return lines


def zone_of(site: Location) -> ZoneInfo | None:
    return zone_named(site.timezone) if site.timezone else None


def _profile(keep: Keep, practitioner: Practitioner | None, location: Location | None, now: datetime) -> Profile:
    listed = read_catalogue(search="", eligibility="", by="", practitioner=practitioner, location=location)
    named = {"practitioner": practitioner, "location": location}
    query = f"?{urlencode({name: row.fhir_id for name, row in named.items() if row})}"
    offers, menus = [], []
    for number, card in enumerate(listed.cards):
        menu = read_menu(card.service).only(keep, None) if number < MOST_SEARCHED else None
        first = menu.first_times(now, now=now) if menu and menu.arrangements else []
        offers.append(Offer(card, next(iter(first), None), query))
        menus += [menu] if menu else []
    return Profile(offers, menus)


def _stated_hours(hours: Iterable[dict[str, object]]) -> dict[int, list[tuple[int, int]]]:
    """Return the open minutes of each day of the week, by FHIR's hoursOfOperation."""
    open_on: dict[int, list[tuple[int, int]]] = {}
    for entry in hours:
        opens, closes = entry.get("openingTime"), entry.get("closingTime")
        if entry.get("allDay"):
            span = (0, MINUTES_OF_A_DAY)
        elif isinstance(opens, str) and isinstance(closes, str):
            span = (_minutes(time.fromisoformat(opens)), _minutes(time.fromisoformat(closes)) or MINUTES_OF_A_DAY)
        else:
            continue
        named = entry.get("daysOfWeek")
        for day in named if isinstance(named, list) else WEEKDAYS:
            open_on.setdefault(WEEKDAYS.index(day), []).append(span)
    return open_on


def _computed_hours(site: Location, menus: Iterable[Menu], today: date) -> dict[int, list[tuple[int, int]]]:
    """Return the open minutes of each day of the week on which somebody can be booked there."""
    windows = {
        window
        for menu in menus
        for offering in menu.all_offerings
        if offering.site == site.pk and is_person(offering)
        for window in offering.rules.hours
        if _holds(window, today)
    }
    open_on: dict[int, list[tuple[int, int]]] = {}
    for window in windows:
        opens, closes = _minutes(window.opens), _minutes(window.closes)
        span = (opens, closes if closes > opens else MINUTES_OF_A_DAY)
        for day in window.weekdays:
            open_on.setdefault(day, []).append(span)
    return open_on


def _holds(window: Window, today: date) -> bool:
    """True if the window is open today's weekday in every week, not only in some."""
    begun, over = window.first is None or window.first <= today, window.last is not None and window.last < today
    return begun and not over and window.recurrence == EVERY_WEEK


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _in_words(spans: Iterable[tuple[int, int]]) -> str:
    merged = list(merge(sorted(spans)))
    if merged == [(0, MINUTES_OF_A_DAY)]:
        return _("all day")
    return ", ".join(formats.clocks(_time(opens), _time(closes)) for opens, closes in merged)


def _time(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


def _days_in_words(days: Sequence[int]) -> str:
    names = [str(dates.WEEKDAYS[day]) for day in days]
    runs_on = all(later == (earlier + 1) % 7 for earlier, later in pairwise(days))
    if len(days) > 2 and runs_on:
        return formats.between(names[0], names[-1])
    return ", ".join(names)
