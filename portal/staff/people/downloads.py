"""The columns of the accounts of staff as a CSV file."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from clinic.country import clinic_zone
from clinic.local_time import in_zone
from portal.common.csv_lists import Column, CsvList, DateColumn
from portal.staff.people.listing import StaffAccount


def _status(account: StaffAccount) -> Any:
    if account.is_invited:
        return _("The invitation has ended.") if account.has_expired else _("Invited, not accepted yet.")
    return _("Active") if account.user.is_active else _("Deactivated.")


ACCOUNTS: CsvList[StaffAccount] = CsvList(
    name="staff accounts",
    columns=(
        Column(_("Name"), lambda account: account.name),
        Column(_("Email"), lambda account: account.user.email),
        Column(_("Roles"), lambda account: ", ".join(map(str, account.roles))),
        Column(_("Status"), _status),
        DateColumn(
            _("Last sign-in"),
            lambda account: in_zone(account.user.last_login, clinic_zone()) if account.user.last_login else None,
        ),
        Column(_("Signs in in two steps"), lambda account: _("Yes") if account.has_second_step else _("No")),
    ),
)
