"""What the desk records."""

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models import Appointment


class StepForm(forms.Form):
    """The status a visit goes to; `back` takes a slip back; `site` is the board it was pressed on."""

    status = forms.ChoiceField(choices=Appointment.Status)
    back = forms.BooleanField(required=False)
    site = forms.CharField(required=False, max_length=64)


class AnswerForm(forms.Form):
    """What the clinic says to a request."""

    answer = forms.ChoiceField(choices=[("accepted", _("Accept")), ("declined", _("Decline"))])


class StaffCancelForm(forms.Form):
    """Why the clinic cancels a visit, and whether its patient is told."""

    reason = forms.CharField(
        label=_("Why is it cancelled?"),
        help_text=_("It is kept with the visit. The patient is not told the reason."),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": _("Enter why it is cancelled.")},
    )
    tell = forms.BooleanField(label=_("Tell the patient"), required=False, initial=True)
