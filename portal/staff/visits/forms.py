"""What the desk records."""

from django import forms
from django.utils.translation import gettext_lazy as _


class AnswerForm(forms.Form):
    """What the clinic says to a request."""

    answer = forms.ChoiceField(choices=[("accepted", _("Accept")), ("declined", _("Decline"))])


class StaffCancelForm(forms.Form):
    """Why the clinic cancels a visit, and whether its patient is told."""

    reason = forms.CharField(
        label=_("Why is it cancelled?"),
        help_text=_("It is saved with the visit. The patient does not see it."),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": _("Enter why it is cancelled.")},
    )
    tell = forms.BooleanField(label=_("Tell the patient"), required=False, initial=True)
