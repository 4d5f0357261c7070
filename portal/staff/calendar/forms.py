"""What the calendar is asked for, and the field that every form of it has."""

from collections.abc import Iterable

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models import Schedule
from portal.common.fields import DayField, MomentField
from portal.common.forms import QueryForm


class LookForm(QueryForm):
    """Which day, and whose calendar."""

    date = DayField(required=False)
    start = MomentField(required=False)
    end = MomentField(required=False)
    schedule = forms.CharField(required=False, max_length=64)
    minutes = forms.IntegerField(required=False, min_value=1, max_value=24 * 60)
    version = forms.IntegerField(required=False)


def calendar_field(schedules: Iterable[Schedule]) -> forms.ChoiceField:
    """All of one site, which the page names already."""
    choices = [(each.fhir_id, str(each.bookable.actor)) for each in schedules]
    return forms.ChoiceField(label=_("Calendar"), choices=choices)
