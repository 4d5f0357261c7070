"""The columns of hours, and of the checklist of what can be booked, as CSV files."""

from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext_lazy as _

from clinic.local_time import in_zone
from clinic.models import Schedule
from clinic.service_types import names_of
from clinic.translations import actor_name, text_of
from portal.common.csv_lists import Column, CsvList, DateColumn
from portal.staff.hours.checklist import ChecklistEntry
from portal.staff.hours.listing import ServiceHours


def _calendar(line: ServiceHours) -> str | None:
    return actor_name(line.schedule.bookable.actor) if line.schedule else None


HOURS: CsvList[ServiceHours] = CsvList(
    name="hours",
    columns=(
        Column(_("Calendar"), _calendar),
        Column(_("Site"), lambda line: text_of(line.schedule.site, "name") if line.schedule else None),
        Column(_("Service"), lambda line: text_of(line.service, "name")),
        Column(_("Service type"), lambda line: ", ".join(names_of(line.service.type))),
        Column(_("Hours"), lambda line: "; ".join(f"{days}: {spans}" for days, spans in line.lines)),
    ),
)
CHECKLIST: CsvList[ChecklistEntry] = CsvList(
    name="what can be booked",
    columns=(
        Column(_("Service"), lambda entry: entry.name),
        Column(_("Can be booked"), lambda entry: _("Yes") if entry.verdict.can_be_booked else _("No")),
        DateColumn(
            _("First free time"),
            lambda entry: in_zone(entry.verdict.first, entry.verdict.zone) if entry.verdict.first else None,
        ),
        Column(_("Problems"), lambda entry: " ".join(line.text for line in entry.lines)),
    ),
)


def lines_of(
    calendars: Iterable[tuple[Schedule, Sequence[ServiceHours]]], services: Iterable[ServiceHours]
) -> Iterator[ServiceHours]:
    """Yield the hours of the services as a whole, then those of each calendar."""
    yield from services
    for _schedule, lines in calendars:
        yield from lines
