"""The form for what somebody on the waiting list would like, and the one that answers an offer."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic.fhir.waitlist import WaitlistPreferences
from clinic.message_kinds import Medium
from portal.common.fields import DayField
from portal.finding.filters import read_filters
from portal.finding.times import FilterOption, Menu
from scheduling.access import Caller

NOTICES = (0, 1, 2, 4, 12, 24, 48, 72)  # hours
DAY = timedelta(days=1)
GROUPS = ("practitioner", "location", "weekday", "part")
MEDIA = {Medium.EMAIL.value: gettext_lazy("By email"), Medium.SMS.value: gettext_lazy("By text message")}


class PreferencesForm(forms.Form):
    """Form for the times that a patient would take: a box for each person, place, day and part of the day.

    Every box is a field of its own, so that what is ticked outlives an error and a change of language. None ticked in a
    group means any.
    """

    earliest = DayField(
        label=gettext_lazy("Not before (optional)"),
        required=False,
        error_messages={"invalid": gettext_lazy("Enter the day from which a visit suits you.")},
    )
    until = DayField(
        label=gettext_lazy("Wait until (optional)"),
        help_text=gettext_lazy("After this day we no longer ask you."),
        required=False,
        error_messages={"invalid": gettext_lazy("Enter the last day on which a visit suits you.")},
    )
    notice = forms.TypedChoiceField(
        label=gettext_lazy("How much notice do you need?"),
        help_text=gettext_lazy("From our message to the visit."),
        coerce=int,
        initial=2,
    )

    def __init__(
        self,
        *args: Any,
        menu: Menu,
        now: datetime,
        query: QueryDict | None = None,
        preferences: WaitlistPreferences | None = None,
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.zone = menu.zones[0] if menu.zones else ZoneInfo("UTC")
        self.today = now.astimezone(self.zone).date()
        filters = read_filters(menu, query or QueryDict(), None)
        self.options: dict[str, tuple[FilterOption, ...]] = {
            name: filters.each[name].options if len(filters.each[name].options) > 1 else () for name in GROUPS
        }
        self.options["medium"] = tuple(FilterOption(value, str(label)) for value, label in MEDIA.items())
        if not settings.SMS_ENABLED:
            self.options["medium"] = ()
        chosen = {name: filters.each[name].chosen for name in GROUPS}
        if preferences is not None:
            chosen = self._set_initial(preferences)
        for name, options in self.options.items():
            for option in options:
                self.fields[f"{name}_{option.value}"] = forms.BooleanField(label=option.label, required=False)
                self.initial[f"{name}_{option.value}"] = option.value in chosen.get(name, ())
        notice = self.fields["notice"]
        assert isinstance(notice, forms.TypedChoiceField)
        notice.choices = [(hours, _notice_text(hours)) for hours in NOTICES]

    def _set_initial(self, preferences: WaitlistPreferences) -> dict[str, frozenset[str]]:
        """Fill in what was chosen before, and return the chosen values of each group."""
        if preferences.not_before is not None:
            self.initial["earliest"] = preferences.not_before.astimezone(self.zone).date()
        if preferences.until is not None:
            self.initial["until"] = (preferences.until - timedelta(microseconds=1)).astimezone(self.zone).date()
        self.initial["notice"] = int(preferences.notice.total_seconds() // 3600)
        return {
            "practitioner": _ids(preferences.practitioners),
            "location": _ids(preferences.sites),
            "weekday": preferences.weekdays,
            "part": preferences.parts,
            "medium": preferences.media,
        }

    @property
    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """The groups of boxes that leave a choice, each with its legend."""
        labels = {
            "practitioner": _("With whom?"),
            "location": _("Where?"),
            "weekday": _("On which days?"),
            "part": _("At what time of day?"),
            "medium": _("How should we tell you?"),
        }
        return [
            (labels[name], [self[f"{name}_{option.value}"] for option in options])
            for name, options in self.options.items()
            if options
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        until, earliest = cleaned.get("until"), cleaned.get("earliest")
        if until and until < self.today:
            self.add_error("until", _("That day is over. Enter a later one, or leave it empty."))
        elif until and earliest and until < earliest:
            self.add_error("until", _("The last day is before the first. Change one of them."))
        return cleaned

    def preferences(self, *, replaces: str = "") -> WaitlistPreferences:
        """Return what was entered. `replaces` is the reference of the booked visit that would move."""
        earliest, until = self.cleaned_data["earliest"], self.cleaned_data["until"]
        people = [(f"Practitioner/{option.value}", option.label) for option in self._ticked("practitioner")]
        places = [(f"Location/{option.value}", option.label) for option in self._ticked("location")]
        return WaitlistPreferences(
            actors=(*people, *places),
            weekdays=frozenset(option.value for option in self._ticked("weekday")),
            parts=frozenset(option.value for option in self._ticked("part")),
            media=frozenset(option.value for option in self._ticked("medium")),
            notice=timedelta(hours=self.cleaned_data["notice"]),
            not_before=self._midnight(earliest) if earliest else None,
            until=self._midnight(until + DAY) if until else None,
            replaces=replaces,
        )

    def _ticked(self, name: str) -> Iterable[FilterOption]:
        return [option for option in self.options[name] if self.cleaned_data[f"{name}_{option.value}"]]

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)


class JoinForm(PreferencesForm):
    """The same for somebody who signs in: it asks for whom, if they care for others."""

    def __init__(self, *args: Any, caller: Caller, **more: Any) -> None:
        super().__init__(*args, **more)
        if len(caller.patients) > 1:
            self.fields["who"] = forms.ChoiceField(
                label=_("Who is the visit for?"),
                choices=[(each.fhir_id, str(each)) for each in caller.patients.values()],
                widget=forms.RadioSelect,
                initial=next(iter(caller.patients.values())).fhir_id,
                error_messages={"required": _("Choose who the visit is for.")},
            )


class OfferForm(forms.Form):
    """Form that answers an offer. `hold` is the id of the time that was shown."""

    hold = forms.CharField(max_length=64)
    answer = forms.ChoiceField(choices=[("take", "take"), ("pass", "pass")])


def _notice_text(hours: int) -> str:
    if not hours:
        return _("No notice")
    if hours % 24:
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    return ngettext("%(count)d day", "%(count)d days", hours // 24) % {"count": hours // 24}


def _ids(references: Iterable[str]) -> frozenset[str]:
    return frozenset(reference.partition("/")[2] for reference in references)
