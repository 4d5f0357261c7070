"""Forms of a visit's pages for staff."""

from django import forms
from django.utils.translation import gettext_lazy as _


class AnswerForm(forms.Form):
    """Form that accepts or declines a request."""

    answer = forms.ChoiceField(choices=[("accepted", _("Accept")), ("declined", _("Decline"))])


class StaffCancelForm(forms.Form):
    """Form that cancels a visit: the reason, and whether the patient is told."""

    reason = forms.CharField(
        label=_("Why is it cancelled?"),
        help_text=_("It is saved with the visit. The patient does not see it."),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": _("Enter why it is cancelled.")},
    )
    tell = forms.BooleanField(label=_("Tell the patient"), required=False, initial=True)
