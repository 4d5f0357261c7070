"""Who is told when free time changes, what has changed since, and what became of the telling.

Rows of `ScheduleChange` are written by triggers of the database, so no writer can forget them: see the migration
`subscriptions`. While nobody subscribes none are written.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from clinic.encryption import CannotDecrypt, decrypt, encrypt
from clinic.models.base import Resource

HEADER = "subscription.header"


class Subscription(Resource):
    """A client wants to hear of changed free time: https://hl7.org/fhir/R4/subscription.html

    It belongs to the software or the person who made it. A `header` is `Name: value` with its value sealed, here and
    in past versions. `failures` counts the tries in a row that came to nothing; `last_contact` is when the endpoint was
    last told something, or was made.
    """

    RESOURCE_TYPE = "Subscription"

    class Status(models.TextChoices):
        """https://hl7.org/fhir/R4/valueset-subscription-status.html"""

        REQUESTED = "requested"
        ACTIVE = "active"
        ERROR = "error"
        OFF = "off"

    class ChannelType(models.TextChoices):
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
        return f"{self.criteria} to {self.endpoint}"

    @property
    def encrypted_headers(self) -> list[tuple[str, str]]:
        """The names of its headers, with their sealed values."""
        return [(name, value.strip()) for name, _, value in (each.partition(":") for each in self.header)]

    def headers(self) -> list[tuple[str, str]]:
        """As they are sent. Raises Unreadable."""
        return [(name, decrypt(value, HEADER)) for name, value in self.encrypted_headers]


def encrypted_header(name: str, value: str) -> str:
    """As it is kept."""
    return f"{name}: {encrypt(value, HEADER)}"


def decrypts_to(sealed: str, value: str) -> bool:
    try:
        return decrypt(sealed, HEADER) == value
    except CannotDecrypt:
        return False


class ScheduleChange(models.Model):
    """Free time has changed: of one actor, on one schedule or of one service, in [start, end) or (None) at any time.

    The outbox of subscriptions. Rows go as soon as it is known whom they concern.
    """

    bookable = models.BigIntegerField(null=True)
    schedule = models.BigIntegerField(null=True)
    service = models.BigIntegerField(null=True)
    start = models.DateTimeField(null=True)
    end = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"From {self.start} to {self.end}" if self.start else "At any time"


class Notification(models.Model):
    """What one subscriber is told, and what became of it: some days of a schedule, or (None) that we are still there.

    `waiting` from `due` on, `sending` until `claimed_until`, then `sent`, or `failed` for good. What is written of a
    try is that of the last.
    """

    class Status(models.TextChoices):
        WAITING = "waiting"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"

    subscription = models.ForeignKey("clinic.Subscription", models.CASCADE, related_name="notifications")
    schedule = models.ForeignKey("clinic.Schedule", models.CASCADE, null=True, blank=True, db_index=False)
    first_day = models.DateField(null=True, blank=True)
    last_day = models.DateField(null=True, blank=True)
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
        indexes = [
            models.Index(fields=["due"], name="notification_due", condition=Q(status__in=["waiting", "sending"])),
            models.Index(fields=["created"], name="notification_log"),
        ]

    def __str__(self) -> str:
        return f"{self.schedule}, {self.first_day}" if self.schedule_id else "Heartbeat"
