"""Forms for the queries of the pages of services and times, and for the chosen time."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from clinic.models import HealthcareService
from clinic.models.services import FEWEST_VISITS, MOST_VISITS, MOST_WEEKS
from clinic.zones import canonical_zone, validate_zone
from portal.common.days import moment_of
from portal.common.fields import DayField
from portal.common.forms import QueryForm
from scheduling.availability import Course


class ZoneForm(QueryForm):
    """The time zone in which the times of a video visit are shown."""

    zone = forms.CharField(required=False, max_length=64)

    def clean_zone(self) -> ZoneInfo | None:
        name = self.cleaned_data["zone"]
        if name:
            validate_zone(name)
        return ZoneInfo(canonical_zone(name)) if name else None


class TimesForm(ZoneForm):
    """Query of the page of times: the days, the opened day, and the zone. `filters` reads the filters."""

    week = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    month = forms.DateField(required=False, input_formats=["%Y-%m"])
    date = forms.DateField(required=False, input_formats=["%Y-%m-%d"])  # any date: the page says if it is out of range


CLOSEST = "closest"  # in place of a number of weeks


class CourseForm(QueryForm):
    """Query of a course: the number of visits that are booked at once, and the weeks between them."""

    visits = forms.IntegerField(required=False, min_value=FEWEST_VISITS, max_value=MOST_VISITS)
    every = forms.ChoiceField(
        required=False, choices=[(CLOSEST, ""), *((str(weeks), "") for weeks in range(1, MOST_WEEKS + 1))]
    )

    def course_of(self, service: HealthcareService) -> Course | None:
        """Return the course of the service that is asked for; None for one visit."""
        visits, every = self.value("visits"), self.value("every")
        if not (visits and every and service.course_limit) or visits > service.course_limit:
            return None
        return Course(visits, None if every == CLOSEST else int(every), service.course_days)


class ServicesForm(QueryForm):
    """Query of the page of services: search words, eligibility, video or in person, practitioner, site."""

    q = forms.CharField(required=False, max_length=200)
    eligibility = forms.ChoiceField(required=False, choices=[("new", ""), ("returning", "")])
    by = forms.ChoiceField(required=False, choices=[("video", ""), ("person", "")])
    plan = forms.CharField(required=False, max_length=64)
    service = forms.CharField(required=False, max_length=64)
    practitioner = forms.CharField(required=False, max_length=64)
    location = forms.CharField(required=False, max_length=64)
    date = DayField(required=False, input_formats=["%Y-%m-%d"])


class PositionForm(forms.Form):
    """Form for the patient's position in degrees, from their browser."""

    latitude = forms.FloatField(min_value=-90, max_value=90)
    longitude = forms.FloatField(min_value=-180, max_value=180)


CHOICE = re.compile(r"(?P<start>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)(?P<schedules>(~[A-Za-z0-9.-]{1,64}){1,10})")


class TimeForm(forms.Form):
    """Form for a chosen time, as `times.time_value` writes it.

    `instead_of` is the id of the hold that it replaces, if that is not the latest.
    """

    time = forms.CharField(max_length=1000)
    instead_of = forms.CharField(required=False, max_length=64)

    def clean_time(self) -> tuple[datetime, tuple[str, ...]]:
        match = CHOICE.fullmatch(self.cleaned_data["time"])
        start = moment_of(match["start"]) if match else None
        if match is None or start is None:
            raise ValidationError(_("Choose one of the times."))
        return start, tuple(match["schedules"].split("~")[1:])
