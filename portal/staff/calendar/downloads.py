"""The columns of the days of the calendars as a CSV file."""

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext_lazy as _

from clinic.service_types import names_of
from portal.common.csv_lists import Column, CsvList, DateColumn, PatientColumns
from portal.staff.calendar.days import CalendarDay
from portal.staff.calendar.entries import CalendarEntry

CALENDAR: CsvList[CalendarEntry] = CsvList(
    name="calendar",
    about=lambda entry: [entry.patient] if entry.patient else [],
    columns=(
        DateColumn(_("Start"), lambda entry: entry.start),
        DateColumn(_("End"), lambda entry: entry.end),
        Column(_("Calendar"), lambda entry: ", ".join(entry.whose)),
        Column(_("Visit"), lambda entry: entry.service if entry.is_visit else entry.title),
        Column(_("Service type"), lambda entry: ", ".join(names_of(entry.service_types))),
        PatientColumns(lambda entry: entry.patient),
        Column(_("Status"), lambda entry: entry.status.word if entry.status else None),
        Column(_("Note"), lambda entry: entry.note),
        Column(_("Needs"), lambda entry: entry.needs),
        Column(_("Site"), lambda entry: entry.place),
    ),
)


def entries_of(days: Iterable[CalendarDay]) -> Iterator[CalendarEntry]:
    """Yield the entries of a list of days, each once, and each visit of a group by itself."""
    seen = set()
    for day in days:
        for entry in (each for each in day.rows if each is not None):
            key = entry.kind, entry.id, entry.start
            if key not in seen:
                seen.add(key)
                yield from entry.members or [entry]
