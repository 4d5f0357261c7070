"""Django's formats by language and country, for the administration: settings.FORMAT_MODULE_PATH.

Each language has a module, whose names are computed from CLDR's patterns when Django first reads them. Django caches
them until `clinic.country` resets the cache because a site has changed.
"""

import re
from collections.abc import Callable
from typing import Any

from babel import numbers

from clinic.country import clinic_country
from clinic.formats import DATE_MARKS, Conventions, first_weekday

# Django's letters for CLDR's fields: https://unicode.org/reports/tr35/tr35-dates.html
LETTERS = {
    **{"y": "Y", "yy": "Y", "yyyy": "Y", "M": "n", "MM": "m", "MMM": "M", "MMMM": "F", "L": "n", "LL": "m"},
    **{"LLL": "M", "LLLL": "F", "d": "j", "dd": "d", "EEE": "D", "EEEE": "l", "E": "D"},
    **{"H": "G", "HH": "H", "h": "g", "hh": "h", "mm": "i", "ss": "s", "a": "A"},
}
PARTS = {"day": "%d", "month": "%m", "year": "%Y"}
ON_12 = ["%I:%M:%S %p", "%I:%M %p"]
ON_24 = ["%H:%M:%S", "%H:%M"]


def in_language(language: str) -> Callable[[str], Any]:
    """Return the function that computes a format of the language in the clinic's country."""

    def format_named(name: str) -> Any:
        compute = FORMATS.get(name)
        if compute is None:
            raise AttributeError(name)
        return compute(Conventions(language, clinic_country()))

    return format_named


def _written(own: Conventions, skeleton: str) -> str:
    """Return CLDR's pattern for a skeleton, in Django's letters."""
    fields = re.finditer(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+", own.pattern(skeleton))
    return "".join(LETTERS.get(field[0]) or re.sub(r"([A-Za-z])", r"\\\1", field[1] or field[0]) for field in fields)


def _clock(own: Conventions) -> str:
    return _written(own, "Hm" if own.hour_cycle == "h23" else "hm")


def _day_and_clock(own: Conventions, skeleton: str) -> str:
    return f"{_written(own, skeleton)}, {_clock(own)}"


def _typed_days(own: Conventions) -> list[str]:
    marks = sorted(DATE_MARKS, key=lambda mark: mark != own.date_mark)
    return [mark.join(PARTS[part] for part in own.date_order) for mark in marks]


def _typed_clocks(own: Conventions) -> list[str]:
    return ON_24 + ON_12 if own.hour_cycle == "h23" else ON_12 + ON_24


FORMATS: dict[str, Callable[[Conventions], Any]] = {
    "DATE_FORMAT": lambda own: _written(own, "long"),
    "SHORT_DATE_FORMAT": lambda own: _written(own, "short"),
    "TIME_FORMAT": _clock,
    "DATETIME_FORMAT": lambda own: _day_and_clock(own, "long"),
    "SHORT_DATETIME_FORMAT": lambda own: _day_and_clock(own, "short"),
    "YEAR_MONTH_FORMAT": lambda own: _written(own, "yMMMM"),
    "MONTH_DAY_FORMAT": lambda own: _written(own, "MMMMd"),
    "FIRST_DAY_OF_WEEK": lambda _own: (first_weekday() + 1) % 7,  # 0 is Sunday here
    "DATE_INPUT_FORMATS": _typed_days,
    "TIME_INPUT_FORMATS": _typed_clocks,
    "DATETIME_INPUT_FORMATS": lambda own: [f"{_typed_days(own)[0]} {clock}" for clock in _typed_clocks(own)],
    "DECIMAL_SEPARATOR": lambda own: numbers.get_decimal_symbol(own.locale),
    "THOUSAND_SEPARATOR": lambda own: numbers.get_group_symbol(own.locale),
}
