"""The columns of absences, and of the visits of one, as CSV files."""

from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from clinic.local_time import in_zone
from portal.common.csv_lists import Column, CsvList, DateColumn, PatientColumns, VisitColumns
from portal.staff.absences.absence_page import AbsenceRow, AbsenceSpan

ABSENCES: CsvList[AbsenceSpan] = CsvList(
    name="absences",
    columns=(
        Column(_("Name"), lambda span: span.name),
        DateColumn(_("Start"), lambda span: in_zone(span.absence.start, span.zone)),
        DateColumn(_("End"), lambda span: in_zone(span.absence.end, span.zone)),
        Column(_("Reason"), lambda span: span.absence.reason),
        Column(_("Visits without another time"), lambda span: getattr(span.absence, "left", None)),
    ),
)


class ConcernedVisit(NamedTuple):
    """A visit of an absence, and the state of finding another time for it in words."""

    state: Any
    row: AbsenceRow


VISITS: CsvList[ConcernedVisit] = CsvList(
    name="absence",
    about=lambda each: [each.row.visit.appointment],
    columns=(
        Column(_("State"), lambda each: each.state),
        PatientColumns(lambda each: each.row.patient),
        VisitColumns(lambda each: each.row.visit),
        Column(_("Why"), lambda each: each.row.why),
        DateColumn(_("Can answer until"), lambda each: each.row.answer_by),
    ),
)
