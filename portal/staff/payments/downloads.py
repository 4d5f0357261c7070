"""The columns of what was taken at the desk as a CSV file."""

from django.utils.translation import gettext_lazy as _

from clinic import money
from clinic.local_time import in_zone
from clinic.models import DeskPayment
from clinic.translations import text_of
from portal.common.csv_lists import Column, CsvList, DateColumn, PatientColumns
from portal.staff.payments.day import zone_of

DESK_PAYMENTS: CsvList[DeskPayment] = CsvList(
    name="payments at the desk",
    about=lambda entry: [entry.appointment],
    columns=(
        DateColumn(_("Time"), lambda entry: in_zone(entry.taken, zone_of(entry.site))),
        Column(_("Site"), lambda entry: text_of(entry.site, "name") if entry.site else None),
        PatientColumns(lambda entry: entry.patient),
        Column(_("Visit"), lambda entry: text_of(entry.appointment.service, "name")),
        Column(_("Amount"), lambda entry: money.decimal_of(entry.amount, entry.currency)),
        Column(_("Currency"), lambda entry: entry.currency),
        Column(_("Paid by"), lambda entry: entry.get_method_display()),
        Column(_("Receipt"), lambda entry: entry.receipt),
        Column(_("Taken by"), lambda entry: entry.taken_by.display_name if entry.taken_by else None),
        Column(_("Reason"), lambda entry: entry.reason),
    ),
)
