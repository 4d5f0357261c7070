"""What a page of visits or of times is asked for. What cannot be read is as if it were not there."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from clinic.models.base import validate_zone


class AskedForm(forms.Form):
    """A form that refuses nothing."""

    def asked(self, name: str) -> Any:
        self.is_valid()
        return self.cleaned_data.get(name)


class TimesForm(AskedForm):
    """Which days to show, which of them opened, and by which clock. What narrows the times is read by `filters`."""

    week = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    month = forms.DateField(required=False, input_formats=["%Y-%m"])
    date = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    zone = forms.CharField(required=False, max_length=64)

    def clean_zone(self) -> ZoneInfo | None:
        name = self.cleaned_data["zone"]
        if name:
            validate_zone(name)
        return ZoneInfo(name) if name else None


class ServicesForm(AskedForm):
    """Which visits to show: what they are called, whom they are for, how they take place, with whom and where."""

    q = forms.CharField(required=False, max_length=200)
    eligibility = forms.ChoiceField(required=False, choices=[("new", ""), ("returning", "")])
    by = forms.ChoiceField(required=False, choices=[("video", ""), ("person", "")])
    service = forms.CharField(required=False, max_length=64)
    practitioner = forms.CharField(required=False, max_length=64)
    location = forms.CharField(required=False, max_length=64)
    date = forms.DateField(required=False, input_formats=["%Y-%m-%d"])


class PositionForm(forms.Form):
    """Where a patient is, in degrees, as their browser says."""

    latitude = forms.FloatField(min_value=-90, max_value=90)
    longitude = forms.FloatField(min_value=-180, max_value=180)
