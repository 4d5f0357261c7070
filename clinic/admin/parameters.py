"""The form of SchedulingParameters, for the pages of services and schedules."""

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import ModelForm
from clinic.admin.fields import ClosuresField, WeeklyHoursField
from clinic.models import SchedulingParameters

PARAMETERS: tuple[tuple[str | None, Any], ...] = (
    (
        None,
        {
            "fields": (
                ("duration", "buffer_before", "buffer_after"),
                ("alignment_interval", "alignment_offset", "slot_capacity"),
                ("day_limit", "week_limit", "session_limit", "new_patient_session_limit"),
                "availability",
                "not_available",
                ("timezone", "alignment_timezone"),
            )
        },
    ),
)


HOURS_EXAMPLE = _(
    "A line for each window, such as mon-fri 09:00-17:00, thu 22:00-06:00 (until the next morning) or sat all day;"
    " with from and until where it counts for some days only, such as mon 09:00-12:00 from 2026-05-01;"
    " with the weeks where it counts in some only, such as mon 09:00-12:00 every 2 weeks of 2026-11-30, or"
    " mon 09:00-12:00 1st, 3rd of month (also last)."
)
AS_THE_SERVICE = _("Empty: as the service says.")


def _in_turn(*sentences: Any) -> Any:
    return format_lazy(" ".join("{}" for _sentence in sentences), *sentences)


class ParametersForm(ModelForm):
    """Form of how a service is given on all schedules."""

    availability = WeeklyHoursField(
        rows=4,
        label=_("Weekly hours"),
        help_text=format_lazy(
            "{} {}", HOURS_EXAMPLE, _("Empty: no usual hours, except on schedules that have their own.")
        ),
    )
    not_available = ClosuresField(
        rows=4,
        label=_("Closed"),
        help_text=_("A line for each closure, such as 2026-12-25: Christmas Day or 2026-12-24 to 2027-01-02."),
    )

    class Meta:
        model = SchedulingParameters
        exclude: tuple[str, ...] = ()
        labels = {
            "slot_capacity": _("Seats"),
            "alignment_interval": _("Starts every"),
            "alignment_offset": _("Starts at"),
        }
        help_texts = {
            "duration": _("Minutes."),
            "buffer_before": _("Minutes kept free before it."),
            "buffer_after": _("Minutes kept free after it."),
            "alignment_interval": _("Minutes from one start to the next; empty: 60."),
            "alignment_offset": _("Minutes after midnight at which that count begins."),
            "slot_capacity": _("How many can come at once; empty: one."),
            "timezone": _("Such as America/New_York; empty: the practitioner's, the room's or the site's."),
            "alignment_timezone": _("Where midnight is for the starts, if elsewhere."),
        }

    def clean(self) -> dict[str, Any] | None:
        """Keep the stored hours and closures if their lines are unchanged, since a line can hold less than an entry."""
        cleaned = super().clean()
        for name in ("availability", "not_available"):
            if name in self.cleaned_data and name not in self.changed_data:
                self.cleaned_data[name] = getattr(self.instance, name)
        return cleaned


class ScheduleParametersForm(ParametersForm):
    """Form of how a service is given on one schedule."""

    availability = WeeklyHoursField(
        rows=4,
        label=_("Weekly hours"),
        help_text=_in_turn(HOURS_EXAMPLE, AS_THE_SERVICE, _("Closed: no hours at all.")),
    )

    class Meta(ParametersForm.Meta):
        help_texts = {
            **ParametersForm.Meta.help_texts,
            "duration": _in_turn(_("Minutes."), AS_THE_SERVICE),
            "buffer_before": _in_turn(_("Minutes kept free before it."), AS_THE_SERVICE),
            "buffer_after": _in_turn(_("Minutes kept free after it."), AS_THE_SERVICE),
            "alignment_interval": _in_turn(_("Minutes from one start to the next."), AS_THE_SERVICE),
            "slot_capacity": _in_turn(_("How many can come at once."), AS_THE_SERVICE),
            "day_limit": AS_THE_SERVICE,
            "week_limit": AS_THE_SERVICE,
            "session_limit": AS_THE_SERVICE,
            "new_patient_session_limit": AS_THE_SERVICE,
        }
