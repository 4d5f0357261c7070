"""Tables of reports: a line for each week, service, site or person, with the figures of the period and the one before.

Everything is added up by the database from the counts of each day: see scheduling.reports.figures.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import TruncWeek

from scheduling.access import Caller
from scheduling.reports.periods import Period

Counts = Mapping[str, int]


class Unit(StrEnum):
    COUNT = "count"
    SHARE = "share"  # of 1
    HOURS = "hours"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a report, what it means in words, and how it follows from the counts; None where it has no value."""

    name: Any
    definition: Any
    unit: Unit
    value: Callable[[Counts], float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """The values of each figure for one week, service, site or person: in the period, and in the one before."""

    label: str
    values: tuple[float | None, ...]
    before: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The lines of a report, and all of them together."""

    lines: tuple[Line, ...]
    total: Line


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of report: its figures, the rows with counts of each day that a caller sees, and its divisions.

    A division has the lookup of the row that a count is about; that by WEEK has none.
    """

    key: str
    name: Any
    figures: tuple[Figure, ...]
    rows: Callable[[Caller], QuerySet[Any]]
    columns: tuple[str, ...]
    divisions: Mapping[str, str]


WEEK = "week"


def tabulate(
    kind: Kind,
    period: Period,
    *,
    by: str,
    rows: QuerySet[Any],
    names: Callable[[Iterable[Any]], Mapping[Any, str]],
) -> Report:
    """Add up the counts of the period and of the one before. Two statements, and one for the names.

    `names` returns the label of each key. Weeks are compared with the weeks of the period before in their order.
    """
    now, before = (_sums(kind, rows, each, by) for each in (period, period.before))
    if by == WEEK:
        now, before = _weeks(now, period), _in_place(_weeks(before, period.before), _weeks(now, period))
    labels = names([*now, *before])
    keys = list(now) if by == WEEK else sorted({*now, *before}, key=lambda key: labels[key].casefold())
    lines = tuple(_line(labels[key], kind.figures, now.get(key, {}), before.get(key, {})) for key in keys)
    return Report(lines, _line("", kind.figures, _together(now), _together(before)))


def _sums(kind: Kind, rows: QuerySet[Any], period: Period, by: str) -> dict[Any, Counts]:
    if by == WEEK:
        key: Any = TruncWeek("day")
    else:
        key = F(kind.divisions[by])
        rows = rows.filter(**{f"{kind.divisions[by]}__isnull": False}) if "__bookable" in kind.divisions[by] else rows
    grouped = rows.filter(day__range=period.days).order_by().annotate(key=key).values("key")
    sums = grouped.annotate(**{f"sum_{column}": Sum(column) for column in kind.columns})
    return {row["key"]: {column: row[f"sum_{column}"] for column in kind.columns} for row in sums}


def _weeks(sums: dict[Any, Counts], period: Period) -> dict[Any, Counts]:
    """The counts of every week of the period, also of those in which nothing happened."""
    monday = period.first - timedelta(days=period.first.weekday())
    mondays = range(monday.toordinal(), period.last.toordinal() + 1, 7)
    return {day: sums.get(day, {}) for day in map(date.fromordinal, mondays)}


def _in_place(before: dict[Any, Counts], now: dict[Any, Counts]) -> dict[Any, Counts]:
    """The counts of the weeks before by the weeks that they are compared with, the last with the last."""
    return dict(zip(reversed(list(now)), reversed(list(before.values())), strict=False))


def _together(sums: Mapping[Any, Counts]) -> Counts:
    columns = {column for counts in sums.values() for column in counts}
    return {column: sum(counts.get(column, 0) for counts in sums.values()) for column in columns}


def _line(label: str, figures: Sequence[Figure], now: Counts, before: Counts) -> Line:
    values, others = (tuple(figure.value(counts) for figure in figures) for counts in (now, before))
    return Line(label, values, others)


def count(column: str) -> Callable[[Counts], float | None]:
    """Return the function that gives the count of a column."""
    return lambda counts: counts.get(column, 0)


def share(part: str, *whole: str) -> Callable[[Counts], float | None]:
    """Return the function that gives a column's share of the sum of others, or None if that is 0."""

    def value(counts: Counts) -> float | None:
        total = sum(counts.get(column, 0) for column in whole)
        return counts.get(part, 0) / total if total else None

    return value


def per(column: str, number: str, size: int) -> Callable[[Counts], float | None]:
    """Return the function that gives the mean of a column in units of `size`, or None without any."""
    return lambda counts: counts.get(column, 0) / counts[number] / size if counts.get(number) else None
