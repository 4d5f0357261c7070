"""Query of the calendar's pages, and the field for a calendar."""

from collections.abc import Iterable

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models import Schedule
from clinic.translations import actor_name
from portal.common.fields import DayField, MomentField
from portal.common.forms import QueryForm


class CalendarQueryForm(QueryForm):
    """Query of a page of the calendar: day, times, and schedule."""

    date = DayField(required=False)
    start = MomentField(required=False)
    end = MomentField(required=False)
    schedule = forms.CharField(required=False, max_length=64)
    minutes = forms.IntegerField(required=False, min_value=1, max_value=24 * 60)
    version = forms.IntegerField(required=False)


def calendar_field(schedules: Iterable[Schedule]) -> forms.ChoiceField:
    """Return the field that chooses one of the calendars. Labels leave out the site, which the page shows."""
    choices = [(each.fhir_id, actor_name(each.bookable.actor)) for each in schedules]
    return forms.ChoiceField(label=_("Calendar"), choices=choices)
