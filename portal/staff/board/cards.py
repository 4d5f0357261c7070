"""The card of one visit on the board."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clinic import patient_text, time_text
from clinic.folding import folded
from clinic.local_time import in_zone, later
from clinic.models import Appointment
from clinic.translations import text_of
from portal.appointments.visits import Status
from portal.staff.board.steps import HEADINGS, Step, steps_after
from portal.staff.groups import Seats
from scheduling.booking import HERE
from scheduling.participants import participant_names, room_names
from scheduling.waiting import NO_WAIT, Wait

LATE = timedelta(minutes=10)


@dataclass(frozen=True)
class VisitCard:
    """One visit of the day, with times in the site's zone. `place` is its site, if the board is of several.

    `is_extra` says that it was booked at a time that was taken, `arrived` since when a patient who has come waits.
    """

    appointment: Appointment
    zone: ZoneInfo
    now: datetime
    seats: Seats | None = None
    wait: Wait = NO_WAIT
    place: str = ""
    is_extra: bool = False
    arrived: datetime | None = None

    @property
    def id(self) -> str:
        return self.appointment.fhir_id

    @cached_property
    def start(self) -> datetime:
        assert self.appointment.start is not None  # the query selects rows by it
        return in_zone(self.appointment.start, self.zone)

    @cached_property
    def clock(self) -> str:
        return time_text.clock(self.start)

    @cached_property
    def href(self) -> str:
        return reverse("portal:staff-visit", args=[self.id])

    @cached_property
    def born(self) -> str:
        """The patient's birth date, to tell patients of the same name apart."""
        return patient_text.birth_date_text(self.appointment.patient) if self.appointment.patient else ""

    @cached_property
    def needs(self) -> str:
        """The patient's needs, such as an interpreter."""
        return ", ".join(patient_text.needs_of(self.appointment.patient))

    @cached_property
    def what(self) -> str:
        """The service, the seats of its group or the mark of an extra visit, the practitioners, the room, the place."""
        service = text_of(self.appointment.service, "name")
        full = _("%(taken)d of %(of)d") % self.seats._asdict() if self.seats else ""
        extra = _("Extra visit") if self.is_extra else ""
        return ", ".join(str(part) for part in (service, full, extra, self.with_whom, self.room, self.place) if part)

    @cached_property
    def words(self) -> str:
        """The texts by which the card is found, folded."""
        texts = (self.title, self.born, self.what, self.clock, self.needs, _("Late") if self.is_late else "")
        return folded(" ".join(map(str, texts)))

    @cached_property
    def title(self) -> Any:
        return patient_text.with_note(self.appointment.patient) if self.appointment.patient else _("No patient yet")

    @cached_property
    def with_whom(self) -> str:
        return ", ".join(participant_names(self.appointment, "Practitioner"))

    @cached_property
    def room(self) -> str:
        return room_names(self.appointment)

    @property
    def where(self) -> Any:
        """The heading of its column."""
        return HEADINGS[Status(self.appointment.status)]

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return steps_after(Status(self.appointment.status), self.start, self.now)

    @property
    def expected(self) -> str:
        """The time at which the visit is expected to begin, if that is later than planned."""
        late = self.wait.late
        return time_text.clock(in_zone(later(self.start.astimezone(UTC), late), self.zone)) if late else ""

    @cached_property
    def is_today(self) -> bool:
        return self.start.date() == in_zone(self.now, self.zone).date()

    @property
    def is_here(self) -> bool:
        """True if the patient has come and not gone yet."""
        return self.is_today and self.appointment.status in HERE

    @cached_property
    def is_late(self) -> bool:
        return self.is_today and self.appointment.status == Status.BOOKED and self.now > self.start + LATE

    @cached_property
    def waiting(self) -> timedelta | None:
        """The time since the patient arrived, in whole minutes; None if they are not waiting."""
        if self.arrived is None or not self.is_today:
            return None
        return timedelta(minutes=(self.now - self.arrived) // timedelta(minutes=1)) or None
