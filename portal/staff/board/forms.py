"""Forms of the board."""

from django import forms

from clinic.models import Appointment
from portal.common.fields import DayField
from portal.common.forms import QueryForm


class BoardQueryForm(QueryForm):
    """Query of the board: a day, by default today, one practitioner, and the place in a column to which one has gone.

    `walked_in` is the visit that was just booked as a walk-in, whose undo is offered.
    """

    practitioner = forms.CharField(required=False, max_length=100)
    date = DayField(required=False)
    column = forms.CharField(required=False, max_length=20)
    first = forms.IntegerField(required=False, min_value=0)
    walked_in = forms.CharField(required=False, max_length=64)


class PostedQueryForm(BoardQueryForm):
    """Form with the posted query of the board: its site, the words that are looked for, and the stamp of what is shown.

    Words on a card can be a patient's name, so they are never in an address.
    """

    site = forms.CharField(required=False, max_length=64)
    find = forms.CharField(required=False, max_length=100)
    stamp = forms.CharField(required=False, max_length=16)


class StepForm(PostedQueryForm):
    """Form that changes the status of a visit; `back` corrects a mistake.

    The query is that of the board on which the button was pressed. The page of a visit has no site; its `returns` is
    the list to go back to.
    """

    status = forms.ChoiceField(choices=Appointment.Status)
    back = forms.BooleanField(required=False)
    returns = forms.CharField(required=False, max_length=2_000)
