"""What is told to whom, how they want to be told, and in which words."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from clinic import placeholders
from clinic.message_kinds import Event, Medium
from clinic.models.base import Resource


class Communication(Resource):
    """A message, planned or sent: https://hl7.org/fhir/R4/communication.html

    The outbox: written in the transaction of what it tells, delivered by a worker from `due` on. `preparation` waits,
    `in-progress` is claimed by a worker until `claimed_until`, `completed` was handed over (`sent`) and perhaps
    delivered (`received`), `not-done` failed or was withdrawn, and `status_reason` says why. Subject and body are
    written when it is sent, so that they tell what is true then. `occasion` tells the messages of one kind apart:
    each goes once.
    """

    RESOURCE_TYPE = "Communication"

    class Status(models.TextChoices):
        """https://hl7.org/fhir/R4/valueset-event-status.html"""

        PREPARATION = "preparation"
        IN_PROGRESS = "in-progress"
        NOT_DONE = "not-done"
        ON_HOLD = "on-hold"
        STOPPED = "stopped"
        COMPLETED = "completed"
        ENTERED_IN_ERROR = "entered-in-error"
        UNKNOWN = "unknown"

    status = models.CharField(max_length=20, choices=Status, default=Status.PREPARATION)
    event = models.CharField(max_length=20, choices=Event)
    medium = models.CharField(max_length=10, choices=Medium)
    occasion = models.CharField(max_length=100, blank=True)
    patient = models.ForeignKey("clinic.Patient", models.PROTECT, null=True, blank=True, related_name="communications")
    appointment = models.ForeignKey(
        "clinic.Appointment", models.PROTECT, null=True, blank=True, related_name="communications"
    )
    address = models.CharField(max_length=254, blank=True, help_text="An email address or a telephone number.")
    language = models.CharField(max_length=10, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    before = models.JSONField(null=True, blank=True, editable=False)  # the visit as the patient last heard of it
    due = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    sent = models.DateTimeField(null=True, blank=True)
    received = models.DateTimeField(null=True, blank=True)
    read = models.DateTimeField(null=True, blank=True, help_text="When it was seen on the pages.")
    status_reason = models.TextField(blank=True)
    provider_id = models.CharField(max_length=200, blank=True, editable=False, db_index=True)

    class Meta:
        ordering = ["due", "pk"]
        indexes = [
            models.Index(
                fields=["due"],
                name="communication_due",
                condition=Q(status__in=["preparation", "in-progress"], deleted_at__isnull=True),
            ),
            models.Index(fields=["patient", "-due"], name="communication_of_patient"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["appointment", "event", "medium", "occasion"],
                name="communication_once",
                condition=Q(appointment__isnull=False) & ~Q(occasion=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_event_display()}, {self.get_medium_display()}"


class MessageTemplate(models.Model):
    """The clinic's own words for an event, a medium and a language; without one the product's are used."""

    event = models.CharField(max_length=20, choices=Event)
    medium = models.CharField(max_length=10, choices=Medium)
    language = models.CharField(max_length=10)
    subject = models.CharField(max_length=200, blank=True, help_text="Of an email.")
    body = models.TextField()

    class Meta:
        ordering = ["event", "medium", "language"]
        constraints = [models.UniqueConstraint(fields=["event", "medium", "language"], name="message_template_once")]

    def __str__(self) -> str:
        return f"{self.get_event_display()}, {self.get_medium_display()}, {self.language}"

    def clean(self) -> None:
        """Refuse what could not be filled in when a message is sent."""
        errors: dict[str, ValidationError] = {}
        for name in ("subject", "body"):
            try:
                placeholders.check(getattr(self, name), self.event)
            except ValidationError as error:
                errors[name] = error
        if errors:
            raise ValidationError(errors)


class MessagePreferences(models.Model):
    """How a patient wants to be told. Without a row: by every way there is an address for."""

    patient = models.OneToOneField("clinic.Patient", models.CASCADE, related_name="message_preferences")
    by_email = models.BooleanField("by email", default=True)
    by_sms = models.BooleanField("by text message", default=True)
    reminders = models.BooleanField("remind me of my visits", default=True)

    class Meta:
        verbose_name_plural = "message preferences"

    def __str__(self) -> str:
        return str(self.patient)


class CalendarFeed(models.Model):
    """A secret address at which a calendar program reads someone's visits; only a digest of the secret is kept."""

    patient = models.ForeignKey("clinic.Patient", models.CASCADE, null=True, blank=True, related_name="calendar_feeds")
    practitioner = models.ForeignKey(
        "clinic.Practitioner", models.CASCADE, null=True, blank=True, related_name="calendar_feeds"
    )
    secret_digest = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(editable=False)
    revoked = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created"]
        constraints = [
            models.CheckConstraint(
                name="calendar_feed_is_one_persons",
                condition=Q(patient__isnull=False, practitioner__isnull=True)
                | Q(patient__isnull=True, practitioner__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"Calendar of {self.patient or self.practitioner}"
