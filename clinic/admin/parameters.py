"""The form of SchedulingParameters, for the pages of services and schedules."""

from typing import Any

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
                "availability",
                "not_available",
                ("timezone", "alignment_timezone"),
            )
        },
    ),
)


class ParametersForm(ModelForm):
    availability = WeeklyHoursField(
        rows=4,
        label="Weekly hours",
        help_text="A line for each window, such as mon-fri 09:00-17:00, thu 22:00-06:00 (until the next morning) or"
        " sat all day; with from and until where it counts for some days only, such as mon 09:00-12:00 from 2026-05-01."
        " Empty: as the service says; closed: no hours at all.",
    )
    not_available = ClosuresField(
        rows=4,
        label="Closed",
        help_text="A line for each closure, such as 2026-12-25: Christmas Day or 2026-12-24 to 2027-01-02.",
    )

    class Meta:
        model = SchedulingParameters
        exclude: tuple[str, ...] = ()
        labels = {"slot_capacity": "Seats", "alignment_interval": "Starts every", "alignment_offset": "Starts at"}
        help_texts = {
            "duration": "Minutes.",
            "buffer_before": "Minutes kept free before it.",
            "buffer_after": "Minutes kept free after it.",
            "alignment_interval": "Minutes from one start to the next; empty: 60.",
            "alignment_offset": "Minutes after midnight at which that count begins.",
            "slot_capacity": "How many can come at once; empty: one.",
            "timezone": "Such as America/New_York; empty: the practitioner's, the room's or the site's.",
            "alignment_timezone": "Where midnight is for the starts, if elsewhere.",
        }

    def clean(self) -> dict[str, Any] | None:
        """Keep the stored hours and closures if their lines are unchanged, since a line can hold less than an entry."""
        cleaned = super().clean()
        for name in ("availability", "not_available"):
            if name in self.cleaned_data and name not in self.changed_data:
                self.cleaned_data[name] = getattr(self.instance, name)
        return cleaned
