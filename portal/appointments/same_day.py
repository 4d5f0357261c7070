"""Other visits for the same service on one day, which patients and staff must confirm before they add another."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from clinic.local_time import in_zone
from clinic.models import Appointment
from portal.appointments.visits import TAKING_PLACE, Visit
from scheduling import access
from scheduling.access import Caller
from scheduling.core.hours import whole_days

Status = Appointment.Status


class SameDayForm(forms.Form):
    """Form that asks for confirmation if the patient has another visit for the service on that day."""

    another = forms.BooleanField(
        label=_("Yes, I want another one on the same day"),
        error_messages={"required": _("Tick the box if you want another one on the same day, or choose another time.")},
    )

    def __init__(self, *args: Any, same_day: Sequence[Visit] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self.same_day = same_day
        if not same_day:
            del self.fields["another"]


def others_on_the_day(
    appointment: Appointment, start: datetime, zone: ZoneInfo, *, caller: Caller
) -> QuerySet[Appointment]:
    """Return the patient's other visits for the service on the local day of `start` that the caller may see.

    With a manage link they are counted too, but the page says no more than that there are some.
    """
    if appointment.patient_id is None or appointment.service_id is None:
        return Appointment.objects.none()
    day = in_zone(start, zone).date()
    begins, ends = (datetime.fromtimestamp(second, UTC) for second in whole_days(day, day, zone))
    rows = access.of_its_patient(appointment, caller).filter(
        Q(status__in=(*TAKING_PLACE, Status.FULFILLED)) | Q(status=Status.PENDING, hold_expires_at=None),
        service=appointment.service_id,
        start__gte=begins,
        start__lt=ends,
        deleted_at=None,
    )
    return rows.exclude(pk=appointment.pk).order_by("start", "pk")


def others_on_a_new_day(
    appointment: Appointment, start: datetime, zone: ZoneInfo, *, caller: Caller
) -> QuerySet[Appointment]:
    """Return the patient's other visits on the new day of a visit that moves to `start`; none on its present day."""
    if appointment.start and in_zone(appointment.start, zone).date() == in_zone(start, zone).date():
        return Appointment.objects.none()
    return others_on_the_day(appointment, start, zone, caller=caller)
