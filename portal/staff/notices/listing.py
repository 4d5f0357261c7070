"""Notices to a member of staff as the pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clinic.local_time import in_zone
from clinic.models import Appointment, StaffNotice
from portal.appointments import visits
from portal.appointments.visits import Visit


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice with its visit."""

    notice: StaffNotice
    visit: Visit

    @property
    def occurred(self) -> datetime:
        """The moment of the change, by the clock of the visit's place."""
        return in_zone(self.notice.occurred, self.visit.zone)


def rows_of(notices: Sequence[StaffNotice], *, now: datetime) -> list[NoticeRow]:
    """Return the notices with their visits, in their order. A constant number of queries."""
    keys = {notice.appointment_id for notice in notices}
    found = visits.at_their_sites(Appointment.objects.filter(pk__in=keys), now=now) if keys else []
    by_key = {visit.appointment.pk: visit for visit in found}
    return [NoticeRow(each, by_key[each.appointment_id]) for each in notices if each.appointment_id in by_key]
