"""The models EventReceiver and EventDelivery: webhooks and plug-ins that are told of visits, and what they are told."""

from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from clinic.labels import Choices
from clinic.models.events import VisitEvent

WEBHOOK_SECRET = "webhook.secret"  # the purpose of its encryption


def new_message_id() -> str:
    """Return a new id of a message, as Standard Webhooks writes them."""
    return f"msg_{uuid4().hex}"


class EventReceiver(models.Model):
    """A receiver of VisitEvents: the webhook of other software, or a plug-in.

    A plug-in has its name in `plugin`, which is empty for a webhook. Secrets are encrypted; the former one signs beside
    the current one until `former_secret_ends`. `failures` counts the failed attempts since the last success. Nothing is
    sent before `due`, and by one worker at a time, who has it until `claimed_until`. A receiver that was turned off
    after failures has an `error`.
    """

    name = models.CharField(max_length=100)
    plugin = models.CharField(max_length=100, blank=True, editable=False)
    url = models.CharField("address", max_length=500)  # clinic.http_client says which are allowed
    kinds = ArrayField(models.CharField(max_length=10, choices=VisitEvent.Kind), verbose_name="events")
    active = models.BooleanField(default=True)
    error = models.TextField(blank=True, editable=False)
    secret = models.TextField(editable=False)
    former_secret = models.TextField(blank=True, editable=False)
    former_secret_ends = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    last_success = models.DateTimeField(null=True, editable=False)
    due = models.DateTimeField(db_default=Now(), editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = "webhook"
        constraints = [
            models.UniqueConstraint(fields=["plugin"], condition=~Q(plugin=""), name="receiver_of_plugin_once")
        ]

    def __str__(self) -> str:
        return self.name


class EventDelivery(models.Model):
    """A VisitEvent for one receiver; a test has no event.

    It is `waiting` to be sent from `due` on, then `sent`, or `failed` for good. `content` is composed for the first
    attempt and stays the same. `tried`, `duration_ms`, `status_code` and `error` describe the last attempt.
    """

    class Status(Choices):
        WAITING = "waiting"
        SENT = "sent"
        FAILED = "failed"

    receiver = models.ForeignKey("clinic.EventReceiver", models.CASCADE, related_name="deliveries", db_index=False)
    event = models.ForeignKey("clinic.VisitEvent", models.CASCADE, null=True, related_name="deliveries")
    message_id = models.CharField(max_length=40, unique=True, default=new_message_id)
    content = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    created = models.DateTimeField()
    due = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    tried = models.DateTimeField(null=True)
    duration_ms = models.PositiveIntegerField("milliseconds", null=True)
    status_code = models.PositiveIntegerField("HTTP status", null=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-created", "-pk"]
        verbose_name = "event of a visit for other software"
        verbose_name_plural = "events of visits for other software"
        indexes = [
            models.Index(fields=["receiver", "id"], name="event_delivery_waiting", condition=Q(status="waiting")),
            models.Index(fields=["created"], name="event_delivery_log"),
        ]

    def __str__(self) -> str:
        return self.type

    @property
    def type(self) -> str:
        """The type of the event, as receivers read it."""
        return "webhook.test" if self.event is None else f"appointment.{self.event.kind}"
