"""Public holidays by country and region, from the `holidays` package: chosen ones become closures.

The package is imported by the functions that need it, because booking does not.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from clinic.models import Closure, Location
from clinic.parking import Parking
from scheduling.access import Caller
from scheduling.booking.idempotency import refusals
from scheduling.opening.closures import add_missing

ENGLISH = "en_US"
MOVED = re.compile(r" \((observed|estimated|observed, estimated)\)$")


@dataclass(frozen=True, slots=True)
class Holiday:
    """A public holiday of a year: its English name without remarks, and its days with their names by language.

    A holiday that is observed on another day has both days.
    """

    key: str
    days: dict[date, dict[str, str]]


def countries() -> dict[str, list[str]]:
    """The codes of all countries whose holidays are known, with the codes of their regions."""
    import holidays

    known: dict[str, list[str]] = holidays.list_supported_countries(include_aliases=False)
    return known


def holidays_of(country: str, region: str, year: int) -> list[Holiday]:
    """The public holidays of a year, in order of their days; none of a country or region that is not known."""
    if region not in ["", *countries().get(country, [])] or country not in countries():
        return []
    calendars = {
        language: _calendar(country, region, year, language) for language in (ENGLISH, *dict(settings.LANGUAGES))
    }
    english = calendars.pop(ENGLISH)
    found: dict[str, Holiday] = {}
    for day in sorted(day for day in english if day.year == year):
        for number, name in enumerate(english.get_list(day)):
            key = MOVED.sub("", name)
            names = {
                language: calendar.get_list(day)[number]
                for language, calendar in calendars.items()
                if calendar is not None and len(calendar.get_list(day)) > number
            }
            found.setdefault(key, Holiday(key, {})).days[day] = {"": name, **names}
    return list(found.values())


def closures_for(
    chosen: Iterable[Holiday], country: str, region: str, location: Location | None, **columns: Any
) -> list[Closure]:
    """Unsaved closures for all days of these holidays."""
    return [
        Closure(
            location=location,
            first=day,
            last=day,
            reason=names[""],
            names={language: name for language, name in names.items() if language},
            is_public=True,
            country=country,
            region=region,
            holiday=holiday.key,
            **columns,
        )
        for holiday in chosen
        for day, names in holiday.days.items()
    ]


@refusals()
@transaction.atomic(durable=True)
def add_next_holidays(*, now: datetime) -> list[Closure]:
    """Close the next year's days of the holidays that are closed this year, once each; return the new closures.

    A day that staff have removed is not added again, nor is a holiday whose days of this year were all removed.
    """
    aside = Parking("close the next holidays", Closure, now=now)
    calendars: dict[tuple[int | None, str, str], list[Closure]] = {}
    rows = Closure.objects.filter(first__year=now.year, removed_at=None).exclude(holiday="")
    for closure in rows.exclude(pk__in=aside.waiting).select_related("location").order_by("pk"):
        calendars.setdefault((closure.location_id, closure.country, closure.region), []).append(closure)
    added: list[Closure] = []

    def add_next(first: Closure) -> None:
        names = {closure.holiday for closure in calendars[first.location_id, first.country, first.region]}
        again = [each for each in holidays_of(first.country, first.region, now.year + 1) if each.key in names]
        closures = closures_for(again, first.country, first.region, first.location, by_rule=True)
        added.extend(add_missing(closures, caller=Caller(), now=now))

    aside.process_each([closures[0] for closures in calendars.values()], add_next)
    return added


def _calendar(country: str, region: str, year: int, language: str) -> Any:
    """The package's calendar in a language; None if it does not have the language, English if that is asked for."""
    import holidays

    calendar = holidays.country_holidays(country, subdiv=region or None, years=year, language=None)
    known = {code.replace("-", "_"): code for code in calendar.supported_languages}
    spoken = next((known[code] for code in sorted(known) if code.split("_")[0] == language.split("_")[0]), None)
    if spoken is None and language != ENGLISH:
        return None
    return holidays.country_holidays(country, subdiv=region or None, years=year, language=spoken)
