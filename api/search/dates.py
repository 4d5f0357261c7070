"""Dates, instants and periods: https://hl7.org/fhir/R4/search.html#date"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Q
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, IsNull, LessThan, LessThanOrEqual

from api.search.kinds import Ordered
from api.search.places import after, first_of, is_there
from api.search.values import PREFIXES, Span, read_days, read_span
from clinic.country import clinic_zone


@dataclass(frozen=True, kw_only=True)
class Moment(Ordered):
    """Base of the parameters for dates and times."""

    TYPE = "date"
    OPERATORS = (*PREFIXES, "po")

    def compared(self, operator: str, value: str, base: str) -> Q:
        if operator == "po":  # what overlaps neither ends before the other begins nor begins after it
            return super().compared("ge", value, base) & super().compared("le", value, base)
        return super().compared(operator, value, base)


@dataclass(frozen=True, kw_only=True)
class Date(Moment):
    """An instant or a day in a column; where the column is empty, a partial date at the place `partial` in JSON."""

    column: str
    days: bool = False
    partial: str = ""

    @property
    def sort(self) -> str:
        return self.column

    def condition(self, value: str, modifier: str, base: str) -> Q:
        found = self._within(read_days(value) if self.days else read_span(value))
        if self.partial:
            of_partial = compare(read_span(value), *bounds(self.partial, self.partial))
            found |= Q(**{self.column: None}) & is_there(self.partial) & of_partial
        return found

    def present(self) -> Q:
        inside = Q(**{f"{self.column}__isnull": False})
        return inside | is_there(self.partial) if self.partial else inside

    def _within(self, span: Span[Any]) -> Q:
        within = Q(**{f"{self.column}__gte": span.first, f"{self.column}__lt": span.after})
        outside = Q(**{f"{self.column}__lt": span.first}) | Q(**{f"{self.column}__gte": span.after})
        return {
            "eq": within,
            "ap": within,
            "ne": outside,
            "gt": Q(**{f"{self.column}__gte": span.after}),
            "sa": Q(**{f"{self.column}__gte": span.after}),
            "lt": Q(**{f"{self.column}__lt": span.first}),
            "eb": Q(**{f"{self.column}__lt": span.first}),
            "ge": Q(**{f"{self.column}__gte": span.first}),
            "le": Q(**{f"{self.column}__lt": span.after}),
        }[span.prefix]


@dataclass(frozen=True, kw_only=True)
class Period(Moment):
    """Period from one column until another, such as a Schedule's planning horizon; without an end it is open."""

    start: str
    end: str

    @property
    def sort(self) -> str:
        return self.start

    def condition(self, value: str, modifier: str, base: str) -> Q:
        return compare(read_span(value), F(self.start), F(self.end))

    def present(self) -> Q:
        return Q(**{f"{self.start}__isnull": False}) | Q(**{f"{self.end}__isnull": False})


@dataclass(frozen=True, kw_only=True)
class JsonDate(Moment):
    """A date, dateTime or Period in JSON."""

    place: str
    is_period: bool = False

    def condition(self, value: str, modifier: str, base: str) -> Q:
        return self.present() & compare(read_span(value), *self._bounds())

    def present(self) -> Q:
        return is_there(self.place)

    def _bounds(self) -> tuple[Any, Any]:
        if self.is_period:
            return bounds(f"{self.place}.start", f"{self.place}.end")
        return bounds(self.place, self.place)


def bounds(first: str, last: str) -> tuple[Any, Any]:
    """Return the instants at which a date in JSON begins and ends."""
    zone = clinic_zone().key
    return first_of(first, zone), after(last, zone)


def compare(span: Span[datetime], start: Any, end: Any) -> Q:
    """Compare [start, end) with the span; a NULL bound is open."""
    reaches = {
        "gt": Q(GreaterThan(end, span.after)) | Q(IsNull(end, True)),
        "ge": Q(GreaterThan(end, span.first)) | Q(IsNull(end, True)),
        "lt": Q(LessThan(start, span.first)) | Q(IsNull(start, True)),
        "le": Q(LessThan(start, span.after)) | Q(IsNull(start, True)),
    }
    match span.prefix:
        case "eq":
            return Q(GreaterThanOrEqual(start, span.first)) & Q(LessThanOrEqual(end, span.after))
        case "ne":
            return reaches["lt"] | reaches["gt"]
        case "sa":
            return Q(GreaterThanOrEqual(start, span.after))
        case "eb":
            return Q(LessThanOrEqual(end, span.first))
        case "ap":
            return reaches["ge"] & reaches["le"]
    return reaches[span.prefix]
