"""Form of the board."""

from django import forms

from clinic.models import Appointment


class StepForm(forms.Form):
    """Form that changes the status of a visit; `back` corrects a mistake.

    `site`, `practitioner` and `all` are those of the board on which the button was pressed. The page of a visit has no
    site; its `returns` is the list to go back to.
    """

    status = forms.ChoiceField(choices=Appointment.Status)
    back = forms.BooleanField(required=False)
    site = forms.CharField(required=False, max_length=64)
    returns = forms.CharField(required=False, max_length=2_000)
    practitioner = forms.CharField(required=False, max_length=100)
    all = forms.BooleanField(required=False)
