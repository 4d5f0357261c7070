"""The columns of imported files as a CSV file."""

from django.utils.translation import gettext_lazy as _

from clinic.country import clinic_zone
from clinic.local_time import in_zone
from clinic.models import ImportFile
from portal.common.csv_lists import Column, CsvList, DateColumn

FILES: CsvList[ImportFile] = CsvList(
    name="imports",
    columns=(
        Column(_("File"), lambda file: file.name),
        Column(_("Kind"), lambda file: file.get_kind_display()),
        Column(_("Lines"), lambda file: file.lines),
        Column(_("Status"), lambda file: file.get_status_display()),
        DateColumn(_("Time"), lambda file: in_zone(file.created, clinic_zone())),
        Column(_("Sent by"), lambda file: file.created_by.email if file.created_by else None),
    ),
)
