"""The models VisitEvent and EventConsumer: the feed of what happened to visits."""

from django.db import models
from django.db.models import Q

from clinic.labels import Choices


class VisitEvent(models.Model):
    """An event in the life of a visit, such as its cancellation.

    Only a trigger of the database writes events, in the transaction of the change: see the migration `visit_events`.
    It writes none while there is no EventConsumer. `version` is the version of the Appointment that the event made.
    `number` is the position in the feed; it is None until the feed is read: see scheduling.events.
    """

    class Kind(Choices):
        BOOKED = "booked"
        MOVED = "moved"
        CANCELLED = "cancelled"
        ARRIVED = "arrived"
        FULFILLED = "fulfilled", "Done"
        NOSHOW = "noshow", "No-show"
        CORRECTED = "corrected"

    number = models.BigIntegerField(unique=True, null=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    appointment = models.ForeignKey("clinic.Appointment", models.CASCADE, related_name="events", db_index=False)
    version = models.PositiveIntegerField()
    occurred = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["number", "pk"]
        indexes = [models.Index(fields=["id"], name="visit_event_new", condition=Q(number__isnull=True))]

    def __str__(self) -> str:
        return f"{self.kind}: {self.appointment_id}/_history/{self.version}"


class EventConsumer(models.Model):
    """A reader of the feed of VisitEvents. It has read the events up to the number `place`."""

    name = models.CharField(max_length=50, unique=True)
    place = models.BigIntegerField()

    def __str__(self) -> str:
        return self.name
