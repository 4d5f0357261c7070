"""The columns of notices to a member of staff as a CSV file."""

from django.utils.translation import gettext_lazy as _

from portal.common.csv_lists import Column, CsvList, DateColumn, PatientColumns, VisitColumns
from portal.staff.notices.listing import NoticeRow

NOTICES: CsvList[NoticeRow] = CsvList(
    name="notices",
    about=lambda row: [row.visit.appointment],
    columns=(
        DateColumn(_("Time"), lambda row: row.occurred),
        Column(_("Kind"), lambda row: row.notice.get_kind_display()),
        PatientColumns(lambda row: row.visit.appointment.patient),
        VisitColumns(lambda row: row.visit),
    ),
)
