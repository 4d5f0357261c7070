"""The models Subscription, ScheduleChange and Notification: subscriptions to events and to changes of free time.

Triggers of the database write the rows of `ScheduleChange`: see the migration `subscriptions`. They write none while
nobody subscribes to changes of free time.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext

from clinic.encryption import CannotDecrypt, decrypt, encrypt
from clinic.labels import Choices
from clinic.models.base import Resource

HEADER = "subscription.header"


class Subscription(Resource):
    """A client's subscription to events or to changes of free time: https://hl7.org/fhir/R4/subscription.html

    It belongs to the software or the person who created it. A `header` is `Name: value` with an encrypted value, here
    and in past versions. `failures` counts the failed attempts since the last success; `last_contact` is the time of
    the last notification, or of the creation.

    `topic` is the id of the topic (clinic.fhir.topics) that its criteria name; empty for Argonaut's criteria. One to
    a topic has the seconds between its heartbeats, the number of its events so far, and the scopes of the token with
    which it was written: no more is told than they allow.
    """

    RESOURCE_TYPE = "Subscription"
    PATIENT = None
    DESCRIBES_CLINIC = False

    class Status(Choices):
        """https://hl7.org/fhir/R4/valueset-subscription-status.html"""

        REQUESTED = "requested"
        ACTIVE = "active"
        ERROR = "error"
        OFF = "off"

    class ChannelType(Choices):
        """https://hl7.org/fhir/R4/valueset-subscription-channel-type.html, as far as it is served."""

        REST_HOOK = "rest-hook"

    status = models.CharField(max_length=10, choices=Status)
    reason = models.TextField()
    criteria = models.CharField(max_length=1000)
    channel_type = models.CharField(max_length=10, choices=ChannelType, default=ChannelType.REST_HOOK)
    endpoint = models.URLField(max_length=500)
    payload = models.CharField(max_length=100, blank=True, help_text="Its media type; empty: nothing is sent along.")
    header = ArrayField(models.TextField(), default=list, blank=True, editable=False)
    end = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    client = models.CharField(max_length=100, blank=True, editable=False, db_index=True)
    user = models.ForeignKey("clinic.User", models.SET_NULL, null=True, blank=True, editable=False)
    topic = models.CharField(max_length=30, blank=True, db_default="", editable=False)
    heartbeat = models.PositiveIntegerField(null=True, blank=True, editable=False)
    events = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    scopes = models.TextField(blank=True, db_default="", editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    last_contact = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["last_contact"],
                name="subscription_active",
                condition=Q(status="active", deleted_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return gettext("%(criteria)s to %(address)s") % {"criteria": self.criteria, "address": self.endpoint}

    @property
    def encrypted_headers(self) -> list[tuple[str, str]]:
        """The names of its headers, with their encrypted values."""
        return [(name, value.strip()) for name, _, value in (header.partition(":") for header in self.header)]

    def headers(self) -> list[tuple[str, str]]:
        """Return the names and decrypted values of the headers. Raises CannotDecrypt."""
        return [(name, decrypt(value, HEADER)) for name, value in self.encrypted_headers]


def encrypted_header(name: str, value: str) -> str:
    """Return the header as it is stored, with its value encrypted."""
    return f"{name}: {encrypt(value, HEADER)}"


def decrypts_to(encrypted: str, value: str) -> bool:
    """True if the encrypted value of a header is this value."""
    try:
        return decrypt(encrypted, HEADER) == value
    except CannotDecrypt:
        return False


class ScheduleChange(models.Model):
    """A change of the free time of one actor, one schedule or one service, in [start, end); None is no limit.

    This table is the outbox of subscriptions. A row is deleted once its Notifications are written.
    """

    bookable = models.BigIntegerField(null=True)
    schedule = models.BigIntegerField(null=True)
    service = models.BigIntegerField(null=True)
    start = models.DateTimeField(null=True)
    end = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"From {self.start} to {self.end}" if self.start else "At any time"


class Notification(models.Model):
    """A notification to one subscriber about some days of a schedule or a VisitEvent; a heartbeat has neither.

    `number` is the event's number in a subscription to a topic. A notification is `waiting` to be sent from `due` on,
    `sending` until `claimed_until`, then `sent`, or `failed` for good.
    `tried`, `duration_ms`, `status_code` and `error` describe the last attempt.
    """

    class Status(Choices):
        WAITING = "waiting"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"

    subscription = models.ForeignKey("clinic.Subscription", models.CASCADE, related_name="notifications")
    schedule = models.ForeignKey("clinic.Schedule", models.CASCADE, null=True, blank=True, db_index=False)
    first_day = models.DateField(null=True, blank=True)
    last_day = models.DateField(null=True, blank=True)
    event = models.ForeignKey("clinic.VisitEvent", models.CASCADE, null=True, blank=True, db_index=False)
    number = models.PositiveIntegerField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    created = models.DateTimeField()
    due = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(default=0)
    tried = models.DateTimeField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField("milliseconds", null=True, blank=True)
    status_code = models.PositiveIntegerField("HTTP status", null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-created", "-pk"]
        verbose_name = "notification of a subscriber"
        verbose_name_plural = "notifications of subscribers"
        constraints = [models.UniqueConstraint(fields=["subscription", "number"], name="notification_number_once")]
        indexes = [
            models.Index(fields=["due"], name="notification_due", condition=Q(status__in=["waiting", "sending"])),
            models.Index(fields=["created"], name="notification_log"),
        ]

    def __str__(self) -> str:
        if self.event is not None:
            return str(self.event)
        return f"{self.schedule}, {self.first_day}" if self.schedule_id else gettext("Heartbeat")
