"""Permissions for everything that the clinic keeps about one patient: a copy of it, and its deletion."""

from django.utils.translation import gettext as _

from clinic.models import Patient
from scheduling.access.callers import Caller
from scheduling.access.roles import Action
from scheduling.access.scope_filters import has_all_scopes
from scheduling.access.write_rules import is_own_record
from scheduling.errors import Forbidden


def handles_personal_data(caller: Caller) -> bool:
    """True if the caller exports and deletes everything about a patient: owners, managers and administrators, and the
    operator of the server.
    """
    return has_all_scopes(caller) or (not caller.client and caller.bounds(Action.PERSONAL_DATA).everywhere)


def may_export(caller: Caller, patient: Patient) -> None:
    """Raise Forbidden unless the caller may have a copy of everything about the patient: see `may_ask_erasure`, and who
    handles personal data.
    """
    if not handles_personal_data(caller):
        may_ask_erasure(caller, patient)


def may_ask_erasure(caller: Caller, patient: Patient) -> None:
    """Raise Forbidden unless the record is the caller's own, or one without an account for which they care."""
    if caller.client or not is_own_record(caller, patient):
        raise Forbidden(_("Only the patient can ask for this."))


def may_erase(caller: Caller) -> None:
    """Raise Forbidden unless the caller may delete everything about a patient."""
    if not handles_personal_data(caller):
        raise Forbidden(_("Only managers delete everything about a patient."))
