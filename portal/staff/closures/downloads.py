"""The columns of closures as a CSV file."""

from datetime import date

from django.utils.translation import gettext_lazy as _

from portal.common.csv_lists import Column, CsvList, DateColumn
from portal.staff.closures.lines import ClosureLine


def _first(line: ClosureLine) -> date:
    """The first day, with the time if it begins within that day."""
    return line.closure.first if line.closure.starts is None else line.closure.start


def _last(line: ClosureLine) -> date:
    """The last day, with the time if it ends within that day."""
    return line.closure.last if line.closure.ends is None else line.closure.end


CLOSURES: CsvList[ClosureLine] = CsvList(
    name="closures",
    columns=(
        Column(_("What is closed"), lambda line: line.whose),
        DateColumn(_("From"), _first),
        DateColumn(_("Last day"), _last),
        Column(_("Notes"), lambda line: ", ".join(line.notes)),
    ),
)
