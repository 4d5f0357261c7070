"""Reports for the clinic: what happened on each day, counted by a worker, and how far away the next free times are."""

from scheduling.reports.figures import count_again, count_days
from scheduling.reports.free_times import NextFreeTimes, next_free_times
from scheduling.reports.kinds import KINDS, report_of
from scheduling.reports.periods import Period
from scheduling.reports.tables import WEEK, Figure, Kind, Line, Report, Unit

__all__ = [
    "KINDS",
    "WEEK",
    "Figure",
    "Kind",
    "Line",
    "NextFreeTimes",
    "Period",
    "Report",
    "Unit",
    "count_again",
    "count_days",
    "next_free_times",
    "report_of",
]
