"""The form that gives a visit its room and its devices."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from clinic.models import Schedule
from clinic.translations import actor_name
from portal.appointments.statuses import Status


class RoomForm(forms.Form):
    """Form for the room and the devices of a visit: those that it `uses` now, and those that are free.

    `version` is the one that it was read at, `status` the step of the pressed button.
    """

    room = forms.ChoiceField(label=_("Room"), required=False, widget=forms.RadioSelect)
    devices = forms.MultipleChoiceField(label=_("Devices"), required=False, widget=forms.CheckboxSelectMultiple)
    version = forms.IntegerField(widget=forms.HiddenInput)
    status = forms.ChoiceField(choices=[(Status.ARRIVED, ""), (Status.CHECKED_IN, "")], required=False)

    def __init__(
        self, data: QueryDict | None, *, uses: Sequence[Schedule], free: Sequence[Schedule], version: int
    ) -> None:
        rooms, devices = ([each for each in uses if is_room(each) is wanted] for wanted in (True, False))
        self.kept = [each.fhir_id for each in rooms[1:]]  # of a visit in several rooms, only the first is exchanged
        initial = {
            "room": rooms[0].fhir_id if rooms else "",
            "devices": [each.fhir_id for each in devices],
            "version": version,
        }
        super().__init__(data, initial=initial)
        self._offer("room", [("", _("No room"))], [*rooms[:1], *filter(is_room, free)])
        self._offer("devices", [], [*devices, *(each for each in free if not is_room(each))])

    def _offer(self, name: str, first: list[tuple[str, Any]], schedules: Sequence[Schedule]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [*first, *((each.fhir_id, actor_name(each.bookable.actor)) for each in schedules)]

    @property
    def has_rooms(self) -> bool:
        return len(self["room"]) > 1

    @property
    def has_devices(self) -> bool:
        return len(self["devices"]) > 0

    @property
    def schedules(self) -> list[str]:
        """The ids of the schedules of everything that the visit uses from now on."""
        chosen = [self.cleaned_data["room"], *self.cleaned_data["devices"], *self.kept]
        return [each for each in chosen if each]


def is_room(schedule: Schedule) -> bool:
    return schedule.bookable.location_id is not None
