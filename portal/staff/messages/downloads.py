"""The columns of messages in the words of staff, and of the log of one, as CSV files."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from clinic.country import clinic_zone
from clinic.local_time import in_zone
from clinic.models import StaffMessage
from portal.common.csv_lists import Column, CsvList, DateColumn, PatientColumns
from portal.staff.messages.message_page import selection_text
from scheduling.notifications import TimelineEntry


def _state(message: StaffMessage) -> Any:
    if message.withdrawn:
        return _("taken back")
    return _("Sent") if message.sent else _("draft")


MESSAGES: CsvList[StaffMessage] = CsvList(
    name="messages to patients",
    columns=(
        Column(_("Subject"), lambda message: message.subject),
        Column(_("Recipients"), selection_text),
        Column(_("Written by"), lambda message: message.created_by),
        DateColumn(_("Written"), lambda message: in_zone(message.created, clinic_zone())),
        Column(_("Status"), _state),
        DateColumn(_("Sent"), lambda message: in_zone(message.sent, clinic_zone()) if message.sent else None),
    ),
)
LOG: CsvList[TimelineEntry] = CsvList(
    name="own words",
    about=lambda entry: [entry.message.patient] if entry.message.patient else [],
    columns=(
        PatientColumns(lambda entry: entry.message.patient),
        Column(_("By"), lambda entry: entry.medium),
        Column(_("Status"), lambda entry: entry.word),
        Column(_("Why"), lambda entry: entry.why),
        DateColumn(_("Time"), lambda entry: in_zone(entry.moment, clinic_zone())),
    ),
)
