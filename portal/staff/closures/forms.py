"""Forms for closures and for public holidays."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import formats
from clinic.models import Closure, Device, Location, Practitioner
from clinic.translations import actor_name
from portal.common.fields import ClockField, DayField
from scheduling import opening
from scheduling.opening import Holiday

CLINIC = ""


class ClosureForm(forms.Form):
    """Form that asks what is closed, from when to when, and why."""

    actor = forms.ChoiceField(label=gettext_lazy("Closed"), required=False)
    first = DayField(
        label=gettext_lazy("From"),
        error_messages={"required": gettext_lazy("Enter the first day of the closure.")},
    )
    starts = ClockField(
        label=gettext_lazy("From, time"), help_text=gettext_lazy("Leave empty for the whole day"), required=False
    )
    last = DayField(label=gettext_lazy("To"), help_text=gettext_lazy("Leave empty for the same day"), required=False)
    ends = ClockField(
        label=gettext_lazy("To, time"), help_text=gettext_lazy("Leave empty for the end of the day"), required=False
    )
    yearly = forms.BooleanField(label=gettext_lazy("Every year"), required=False)
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        help_text=gettext_lazy("Optional. For example, Training."),
        required=False,
        max_length=200,
    )
    is_public = forms.BooleanField(label=gettext_lazy("Patients read the reason"), required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, today: date) -> None:
        super().__init__(data)
        self.today = today
        self.actors = actors()
        field = self.fields["actor"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (CLINIC, _("The whole clinic")),
            *((key, actor_name(actor)) for key, actor in self.actors.items()),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last") or cleaned.get("first")
        if first is None or last is None or self.errors:
            return cleaned
        cleaned["last"] = last
        if (first, cleaned.get("starts") or time.min) >= (last, cleaned.get("ends") or time.max):
            self.add_error("last", _("The closure must end after it starts. Enter a later day or time."))
        elif cleaned["yearly"] and (last - first).days >= 365:
            self.add_error("last", _("A closure of every year must be shorter than a year."))
        elif last < self.today and not cleaned["yearly"]:
            self.add_error("first", _("This day has passed. Enter today or a later day."))
        return cleaned

    @property
    def closure(self) -> Closure:
        """The entered closure, not saved."""
        columns = {name: value for name, value in self.cleaned_data.items() if name != "actor"}
        key = self.cleaned_data["actor"]
        return Closure(**columns, **({key.partition("/")[0].lower(): self.actors[key]} if key else {}))


class HolidaysForm(forms.Form):
    """Form that asks for the country and region of the public holidays, and the site that is closed on them."""

    country = forms.ChoiceField(label=gettext_lazy("Country"))
    region = forms.ChoiceField(label=gettext_lazy("Region"), required=False)
    location = forms.ChoiceField(label=gettext_lazy("Closed"), required=False)

    def __init__(self, data: Mapping[str, Any], *, sites: Sequence[Location]) -> None:
        super().__init__(data)
        self.sites = {site.fhir_id: site for site in sites}
        known = opening.countries()
        names = formats.conventions().locale.territories
        countries = sorted(((code, names.get(code, code)) for code in known), key=lambda each: each[1])
        regions = [("", _("The whole country")), *((code, code) for code in known.get(str(data.get("country")), ()))]
        places = [(CLINIC, _("The whole clinic")), *((key, actor_name(site)) for key, site in self.sites.items())]
        for name, choices in (("country", countries), ("region", regions), ("location", places)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices

    @property
    def site(self) -> Location | None:
        """The chosen site; None for the whole clinic."""
        return self.sites.get(self.cleaned_data["location"])

    def holidays(self, now: datetime) -> list[tuple[int, list[Holiday]]]:
        """Return this and the next year with their public holidays."""
        place = self.cleaned_data["country"], self.cleaned_data["region"]
        return [(year, opening.holidays_of(*place, year)) for year in (now.year, now.year + 1)]


def actors() -> dict[str, Any]:
    """Return what can be closed beside the whole clinic, by reference: places, people and devices in use."""
    rows: list[Any] = [
        *Location.objects.filter(deleted_at=None, status=Location.Status.ACTIVE).order_by("part_of__name", "name"),
        *Practitioner.objects.filter(deleted_at=None, active=True).order_by("family", "given"),
        *Device.objects.filter(deleted_at=None, status=Device.Status.ACTIVE).order_by("name"),
    ]
    return {row.reference: row for row in rows}
