"""The models Absence and Rebooking: time during which somebody is away, and what becomes of their visits."""

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic.labels import Choices

if TYPE_CHECKING:
    from clinic.models.places import Location

REASON_LENGTH = 200
NOTICE_LENGTH = 300


class Absence(models.Model):
    """Time during which a practitioner, a room, a device or a whole site cannot be booked, as staff have said.

    Its time is blocked by Slots that carry `block` as an identifier, that of a site by its `closure`. `reason` is for
    staff, `notice` is what patients are told. Other times are looked for from `offered` on, and the patients are told
    of them from `send_from` on, which is set once times are held for all. It has `ended` when the actor came back
    early. `version` counts its changes.
    """

    bookable = models.ForeignKey("clinic.Bookable", models.PROTECT, related_name="absences")
    start = models.DateTimeField()
    end = models.DateTimeField()
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    notice = models.CharField(max_length=NOTICE_LENGTH, blank=True)
    block = models.UUIDField(default=uuid.uuid4, editable=False)
    closure = models.ForeignKey(
        "clinic.Closure", models.SET_NULL, null=True, editable=False, related_name="absences", db_index=False
    )
    created = models.DateTimeField(editable=False)
    created_by = models.ForeignKey("clinic.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    offered = models.DateTimeField(null=True, editable=False)
    send_from = models.DateTimeField(null=True, editable=False)
    ended = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["start", "pk"]
        constraints = [models.CheckConstraint(name="absence_takes_time", condition=Q(start__lt=F("end")))]

    def __str__(self) -> str:
        return f"{self.bookable}, {self.start} to {self.end}"

    @property
    def site(self) -> "Location | None":
        """The site if all of it is away; None for a person, a room and a device."""
        place = self.bookable.location
        return place if place is not None and place.part_of_id is None else None


class Rebooking(models.Model):
    """A visit that an absence makes impossible, and how far it is with finding another time for it.

    The times that are held for it are Appointments that answer the visit, as a suggestion answers a request: they are
    its `suggestions`. They are kept until `expires`. A worker claims the row until `claimed_until`.
    """

    class State(Choices):
        WAITING = "waiting", _("Looking for times")
        READY = "ready", _("Times are held")
        OFFERED = "offered", _("Waiting for an answer")
        CALL = "call", _("To be called")
        WITHDRAWN = "withdrawn", _("Taken back")
        RETURNED = "returned", _("Stays as booked, to be told")
        MOVED = "moved", _("Moved")
        CANCELLED = "cancelled", _("Cancelled")
        KEPT = "kept", _("Stays as booked")

    class Why(Choices):
        """The reason why a patient must be called."""

        NO_ADDRESS = "no-address", _("No way to write to them")
        NO_TIMES = "no-times", _("No other time was found")
        ASKED = "asked", _("Asks for a call")
        NO_ANSWER = "no-answer", _("Did not answer in time")
        SEVERAL = "several", _("Several patients come to the visit")

    absence = models.ForeignKey(Absence, models.CASCADE, related_name="rebookings")
    appointment = models.ForeignKey("clinic.Appointment", models.PROTECT, related_name="rebookings")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    why = models.CharField(max_length=10, choices=Why, blank=True)
    offered = models.DateTimeField(null=True)
    expires = models.DateTimeField(null=True)
    reminded = models.DateTimeField(null=True)
    answered = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["appointment__start", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["appointment"],
                name="rebooking_once_at_a_time",
                condition=~Q(state__in=["moved", "cancelled", "kept"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.appointment}: {self.get_state_display()}"


OPEN_REBOOKING = (Rebooking.State.WAITING, Rebooking.State.READY, Rebooking.State.OFFERED, Rebooking.State.CALL)
