"""What the desk records."""

from django import forms

from clinic.models import Appointment


class StepForm(forms.Form):
    """The status a visit goes to; `back` takes a slip back; `site`, `practitioner` and `all` say what the board that it
    was pressed on shows.

    On a visit's own page there is no site; `returns` is the list that the page leads back to.
    """

    status = forms.ChoiceField(choices=Appointment.Status)
    back = forms.BooleanField(required=False)
    site = forms.CharField(required=False, max_length=64)
    returns = forms.CharField(required=False, max_length=2_000)
    practitioner = forms.CharField(required=False, max_length=100)
    all = forms.BooleanField(required=False)
