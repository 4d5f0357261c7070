"""Decisions of staff about a coverage: it is verified, or rejected with a reason."""

from datetime import datetime

from django.utils.translation import gettext as _

from portal.staff.visits.forms import CoverageCheckForm
from scheduling.access import Caller
from scheduling.interactions.coverage import reject_coverage, verify_coverage


def decide(form: CoverageCheckForm, coverage_id: str, *, caller: Caller, now: datetime) -> str:
    """Verify or reject the coverage as the valid form says. Returns the message for staff; the patient is told too."""
    version = form.cleaned_data["version"]
    if form.cleaned_data["check"] == "verified":
        verify_coverage(coverage_id, caller=caller, now=now, version=version)
        return _("The insurance is checked. The patient is told.")
    reject_coverage(coverage_id, form.cleaned_data["reason"], caller=caller, now=now, version=version)
    return _("The insurance is rejected. The patient is told why.")
