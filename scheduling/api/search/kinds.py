"""How the types of search parameters find rows: https://hl7.org/fhir/R4/search.html#ptypes

Every kind turns one value into a condition; what cannot be read raises Invalid.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django.db.models import Model, Q

from clinic.fhir.datatypes import read_date_time
from clinic.fhir.issues import InvalidElement
from scheduling.errors import Invalid

DATE = re.compile(
    r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb)?"
    r"(?P<day>\d{4}(-\d\d(-\d\d)?)?)"
    r"(?P<time>T\d\d:\d\d(?P<second>:\d\d(\.\d{1,6})?)?)?(?P<offset>Z|[+ -]\d\d:\d\d)?"
)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One search parameter of one type of resource. `definition` is the last part of its canonical URL."""

    TYPE: ClassVar[str]
    MODIFIERS: ClassVar[tuple[str, ...]] = ()

    definition: str = ""

    def condition(self, value: str, modifier: str, base: str) -> Q:
        """The rows that have this value. `base` is our own address, with a slash at its end."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Token(Parameter):
    """A code in a column; `system` is the one that all its codes are of."""

    TYPE = "token"
    MODIFIERS = ("not",)

    column: str
    system: str = ""

    def condition(self, value: str, modifier: str, base: str) -> Q:
        system, code = split_token(value)
        if system not in (None, self.system):
            return nothing()
        return Q(**{self.column: code}) if code else Q()


@dataclass(frozen=True, kw_only=True)
class Coded(Parameter):
    """A column whose values are shown as codes: the system and the code of each."""

    TYPE = "token"
    MODIFIERS = ("not",)

    column: str
    codes: Mapping[str, tuple[str, str]]

    def condition(self, value: str, modifier: str, base: str) -> Q:
        system, code = split_token(value)
        values = [
            name for name, shown in self.codes.items() if system in (None, shown[0]) and (not code or code == shown[1])
        ]
        return Q(**{f"{self.column}__in": values})


@dataclass(frozen=True, kw_only=True)
class Flag(Parameter):
    """A boolean."""

    TYPE = "token"

    column: str

    def condition(self, value: str, modifier: str, base: str) -> Q:
        if value not in ("true", "false"):
            raise Invalid(f"{value!r} is neither true nor false.")
        return Q(**{self.column: value == "true"})


@dataclass(frozen=True, kw_only=True)
class Identifier(Parameter):
    """FHIR Identifiers in a column, or a place in `extra`; `many` where it is a list of them."""

    TYPE = "token"
    MODIFIERS = ("not",)

    place: str = "identifier"
    many: bool = True

    def condition(self, value: str, modifier: str, base: str) -> Q:
        wanted = _with_system(value, "value")
        return Q(**{f"{self.place}__contains": [wanted] if self.many else wanted})


@dataclass(frozen=True, kw_only=True)
class Concept(Parameter):
    """CodeableConcepts, in one of these columns or places in `extra`; `many` where it is a list of them."""

    TYPE = "token"
    MODIFIERS = ("not",)

    places: tuple[str, ...]
    many: bool = True

    def condition(self, value: str, modifier: str, base: str) -> Q:
        concept = {"coding": [_with_system(value, "code")]}
        return any_of(Q(**{f"{place}__contains": [concept] if self.many else concept}) for place in self.places)


@dataclass(frozen=True, kw_only=True)
class ServiceType(Parameter):
    """What was sent as `serviceType`, or the type of the services that a row of `model` is for."""

    TYPE = "token"
    MODIFIERS = ("not",)

    model: type[Model]
    services: str

    def condition(self, value: str, modifier: str, base: str) -> Q:
        concepts = [{"coding": [_with_system(value, "code")]}]
        offering = self.model._default_manager.filter(**{f"{self.services}__type__contains": concepts})
        return Q(extra__serviceType__contains=concepts) | Q(pk__in=offering.values("pk"))


@dataclass(frozen=True, kw_only=True)
class Contact(Parameter):
    """A phone number or an e-mail address: the one in the column, or one of the others."""

    TYPE = "token"

    column: str

    def condition(self, value: str, modifier: str, base: str) -> Q:
        other = [{"system": self.column, "value": value}]
        return Q(**{f"{self.column}__iexact": value}) | Q(extra__telecom__contains=other)


@dataclass(frozen=True, kw_only=True)
class Text(Parameter):
    """The start of a word in a column, whatever its case; `:exact` and `:contains` for the whole."""

    TYPE = "string"
    MODIFIERS = ("exact", "contains")

    columns: tuple[str, ...]

    def condition(self, value: str, modifier: str, base: str) -> Q:
        if modifier:
            lookup = {"exact": "exact", "contains": "icontains"}[modifier]
            return any_of(Q(**{f"{column}__{lookup}": value}) for column in self.columns)
        starts = ({f"{column}__istartswith": value} for column in self.columns)
        later = ({f"{column}__icontains": f" {value}"} for column in self.columns)
        return any_of(Q(**each) for each in (*starts, *later))


@dataclass(frozen=True, kw_only=True)
class Uri(Parameter):
    TYPE = "uri"

    column: str

    def condition(self, value: str, modifier: str, base: str) -> Q:
        return Q(**{self.column: value})


@dataclass(frozen=True, kw_only=True)
class Date(Parameter):
    """An instant or a day in a column. A value without time stands for all of its day, month or year."""

    TYPE = "date"

    column: str
    days: bool = False

    def condition(self, value: str, modifier: str, base: str) -> Q:
        prefix, first, after = read_range(value, days=self.days)
        within = Q(**{f"{self.column}__gte": first, f"{self.column}__lt": after})
        return {
            "eq": within,
            "ne": ~within,
            "gt": Q(**{f"{self.column}__gte": after}),
            "sa": Q(**{f"{self.column}__gte": after}),
            "lt": Q(**{f"{self.column}__lt": first}),
            "eb": Q(**{f"{self.column}__lt": first}),
            "ge": Q(**{f"{self.column}__gte": first}),
            "le": Q(**{f"{self.column}__lt": after}),
        }[prefix]


@dataclass(frozen=True, kw_only=True)
class Period(Parameter):
    """From one column until another, such as a Schedule's planning horizon; one without an end goes on for ever."""

    TYPE = "date"

    start: str
    end: str

    def condition(self, value: str, modifier: str, base: str) -> Q:
        prefix, first, after = read_range(value)
        start, end = self.start, self.end
        within = Q(**{f"{start}__gte": first, f"{end}__lte": after})
        return {
            "eq": within,
            "ne": ~within,
            "gt": Q(**{end: None}) | Q(**{f"{end}__gt": after}),
            "ge": Q(**{end: None}) | Q(**{f"{end}__gt": first}),
            "lt": Q(**{start: None}) | Q(**{f"{start}__lt": first}),
            "le": Q(**{start: None}) | Q(**{f"{start}__lt": after}),
            "sa": Q(**{f"{start}__gte": after}),
            "eb": Q(**{f"{end}__lte": first}),
        }[prefix]


def any_of(conditions: Iterable[Q]) -> Q:
    return reduce(or_, conditions, nothing())


def nothing() -> Q:
    return Q(pk__in=[])


def split_token(value: str) -> tuple[str | None, str]:
    """`system|code`, of which either may be empty; None for a code without a bar: of any system."""
    system, bar, code = value.rpartition("|")
    return (system, code) if bar else (None, value)


def read_range(value: str, *, days: bool = False) -> tuple[str, Any, Any]:
    """The prefix, and the span [first, after) that the value stands for. Raises Invalid."""
    match = DATE.fullmatch(value)
    if not match or (match["offset"] and not match["time"]) or (match["time"] and len(match["day"]) < 10):
        raise Invalid(f"{value!r} is not a date such as ge2026-01-05 or lt2026-01-05T14:00:00Z.")
    try:
        first, after = _span(match)
    except (InvalidElement, OverflowError):
        raise Invalid(f"{value!r} is not a date.") from None
    prefix = match["prefix"] or "eq"
    return (prefix, _day(first), max(_day(after), _day(first) + timedelta(days=1))) if days else (prefix, first, after)


def _span(match: re.Match[str]) -> tuple[datetime, datetime]:
    if not match["time"]:
        return read_date_time(match["day"]), read_date_time(match["day"], end=True)
    # A plus sign that was not encoded has become a space.
    offset = (match["offset"] or "Z").replace(" ", "+")
    first = read_date_time(match["day"] + match["time"] + offset)
    second = match["second"]
    length = timedelta(minutes=1) if not second else timedelta(seconds=1)
    return first, first + (timedelta(milliseconds=1) if second and "." in second else length)


def _day(moment: datetime) -> date:
    return moment.date()


def _with_system(value: str, name: str) -> dict[str, str]:
    system, code = split_token(value)
    if system == "":
        raise Invalid(f"{value!r}: what has no system cannot be searched for.")
    return {**({"system": system} if system else {}), **({name: code} if code else {})}
