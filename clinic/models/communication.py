"""The models for messages: the outbox, message templates, patients' preferences and calendar feeds."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, gettext_lazy

from clinic import placeholders
from clinic.labels import Choices
from clinic.message_kinds import Event, Medium
from clinic.models.base import Resource


class Communication(Resource):
    """A message, planned or sent: https://hl7.org/fhir/R4/communication.html

    This table is the outbox: a use case writes a row in its transaction, and a worker sends it from `due` on. A
    `preparation` waits, `in-progress` is claimed by a worker until `claimed_until`, `completed` was handed to the
    provider (`sent`) and perhaps delivered (`received`), `not-done` failed or was withdrawn for `status_reason`.
    Subject and body are composed when the message is sent, so that they are up to date. `occasion` distinguishes
    messages of one event and medium; each occasion is sent once.

    A `reply` is a text that a patient sent: `address` is the number that it came from, `provider_id` the service's id
    of it, `status_reason` what was done, `read` when it was dealt with. If it is about several visits, the rows after
    the first are `part_of` that.
    """

    RESOURCE_TYPE = "Communication"
    PATIENT = "patient"
    DESCRIBES_CLINIC = False
    PLAIN_NAME = gettext_lazy("messages about visits")

    class Status(Choices):
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
    patient = models.ForeignKey(
        "clinic.Patient", models.PROTECT, null=True, blank=True, related_name="communications", db_index=False
    )
    appointment = models.ForeignKey(
        "clinic.Appointment", models.PROTECT, null=True, blank=True, related_name="communications"
    )
    part_of = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, editable=False, related_name="parts", db_index=False
    )
    staff_message = models.ForeignKey(
        "clinic.StaffMessage", models.PROTECT, null=True, blank=True, editable=False, related_name="+", db_index=False
    )
    address = models.CharField(max_length=254, blank=True, help_text="An email address or a telephone number.")
    language = models.CharField(max_length=10, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    before = models.JSONField(null=True, blank=True, editable=False)  # the visit as the patient was last told
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
            models.Index(fields=["part_of"], name="communication_parts", condition=Q(part_of__isnull=False)),
            models.Index(
                fields=["due"], name="communication_to_read", condition=Q(event=Event.REPLY, read__isnull=True)
            ),
            models.Index(fields=["address", "due"], name="communication_answers", condition=Q(event=Event.ANSWER)),
            models.Index(fields=["sent"], name="communication_sent", condition=Q(sent__isnull=False)),
            models.Index(fields=["due"], name="communication_failed", condition=Q(status="not-done", attempts__gt=0)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["appointment", "event", "medium", "occasion"],
                name="communication_once",
                condition=Q(appointment__isnull=False) & ~Q(occasion=""),
            ),
            models.UniqueConstraint(
                fields=["staff_message", "medium", "address", "patient"],
                name="communication_note_once",
                condition=Q(staff_message__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["provider_id"],
                name="communication_reply_once",
                condition=Q(event=Event.REPLY) & ~Q(provider_id=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_event_display()}, {self.get_medium_display()}"


class MessageTemplate(models.Model):
    """The clinic's own text for an event, a medium and a language, which replaces the product's default text.

    That of a service takes the place of the one for all services.
    """

    service = models.ForeignKey(
        "clinic.HealthcareService",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="message_templates",
        help_text="Empty: for all services that have no template of their own.",
    )
    event = models.CharField(max_length=20, choices=Event)
    medium = models.CharField(max_length=10, choices=Medium)
    language = models.CharField(max_length=10)
    subject = models.CharField(max_length=200, blank=True, help_text="Of an email.")
    body = models.TextField()

    class Meta:
        ordering = ["event", "medium", "language", "service"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "medium", "language", "service"],
                name="message_template_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        name = f"{self.get_event_display()}, {self.get_medium_display()}, {self.language}"
        return f"{name}, {self.service}" if self.service else name

    def clean(self) -> None:
        """Refuse a subject or body that cannot be filled in, and a service for a message that is about no visit."""
        errors: dict[str, ValidationError] = {}
        if self.service is not None and self.event == Event.PROOF:
            errors["service"] = ValidationError(gettext("Codes are not about a service. Leave this empty."))
        for name in ("subject", "body"):
            try:
                placeholders.check(getattr(self, name), self.event)
            except ValidationError as error:
                errors[name] = error
        if errors:
            raise ValidationError(errors)


class MessagePreferences(models.Model):
    """The media by which a patient wants messages. A patient without a row gets them by all media with an address."""

    patient = models.OneToOneField("clinic.Patient", models.CASCADE, related_name="message_preferences")
    by_email = models.BooleanField("by email", default=True)
    by_sms = models.BooleanField("by text message", default=True)
    reminders = models.BooleanField("remind me of my visits", default=True)
    stopped_numbers = ArrayField(
        models.CharField(max_length=20),
        default=list,
        db_default=[],
        blank=True,
        help_text="No text is sent to these, in E.164: they have answered STOP, and not START since.",
    )

    class Meta:
        verbose_name_plural = "message preferences"

    def __str__(self) -> str:
        return str(self.patient)


class CalendarFeed(models.Model):
    """A secret address where a calendar program reads a person's visits. Only a digest of the secret is stored."""

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
        return gettext("Calendar of %(name)s") % {"name": self.patient or self.practitioner}
