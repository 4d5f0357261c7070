"""Periods of reports: whole days, the last one included."""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def length(self) -> timedelta:
        return self.last - self.first + timedelta(days=1)

    @property
    def before(self) -> "Period":
        """The period of the same length that ends on the day before this one."""
        return Period(self.first - self.length, self.first - timedelta(days=1))

    @property
    def days(self) -> tuple[date, date]:
        return self.first, self.last
