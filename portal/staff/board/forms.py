"""Forms of the board."""

from django import forms

from clinic.models import Appointment
from portal.common.fields import DayField
from portal.common.forms import QueryForm


class BoardQueryForm(QueryForm):
    """Query of the board: a day, by default today, one practitioner, and whether long columns are shown whole.

    `walked_in` is the visit that was just booked as a walk-in, whose undo is offered.
    """

    practitioner = forms.CharField(required=False, max_length=100)
    date = DayField(required=False)
    all = forms.BooleanField(required=False)
    walked_in = forms.CharField(required=False, max_length=64)


class StepForm(BoardQueryForm):
    """Form that changes the status of a visit; `back` corrects a mistake.

    `site` and the query are those of the board on which the button was pressed. The page of a visit has no site; its
    `returns` is the list to go back to.
    """

    status = forms.ChoiceField(choices=Appointment.Status)
    back = forms.BooleanField(required=False)
    site = forms.CharField(required=False, max_length=64)
    returns = forms.CharField(required=False, max_length=2_000)
