"""Forms of the waiting list for staff: the patient who is put on it, how urgent an entry is, and
calls.
"""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clinic.models import HealthcareService, WaitlistCall
from clinic.models.waitlist import NOTE_LENGTH

# FHIR's priority, which is iCalendar's: https://www.rfc-editor.org/rfc/rfc5545#section-3.8.1.9
PRIORITIES = {0: _("Not marked"), 1: _("Urgent"), 5: _("Soon")}
LEAST_URGENT = 9


class FindForm(forms.Form):
    """Form for the service, and for the words that find the patient."""

    service = forms.ChoiceField(label=_("Visit"), error_messages={"required": _("Choose the visit.")})
    search = forms.CharField(
        label=_("Find a patient"),
        help_text=_("Name, date of birth, phone number, email or record number."),
        min_length=2,
        max_length=100,
        error_messages={"required": _("Enter the patient\u2019s name or date of birth.")},
    )

    def __init__(self, *args: Any, services: QuerySet[HealthcareService], **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["service"]
        assert isinstance(field, forms.ChoiceField)
        active = services.filter(active=True)
        field.choices = [("", _("Choose")), *((each.fhir_id, each.name) for each in active)]


class CallForm(forms.Form):
    """Form that notes a call to somebody who waits."""

    outcome = forms.ChoiceField(choices=WaitlistCall.Outcome.choices)
    note = forms.CharField(required=False, max_length=NOTE_LENGTH)


class PriorityForm(forms.Form):
    """Form that marks how urgent an entry is."""

    priority = forms.IntegerField(min_value=0, max_value=LEAST_URGENT)
