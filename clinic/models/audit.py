"""Who did what, and answers that are given only once."""

from django.db import models

from clinic import time_text
from clinic.country import clinic_zone
from clinic.exact_json import ExactJSONField
from clinic.local_time import in_zone
from clinic.models.base import Resource


class AuditEvent(Resource):
    """https://hl7.org/fhir/R4/auditevent.html: one line for each use case, in its transaction.

    And one for each patient whom an answer told of, if it was staff or software that asked.
    """

    RESOURCE_TYPE = "AuditEvent"

    class Action(models.TextChoices):
        CREATE = "C"
        READ = "R"
        UPDATE = "U"
        DELETE = "D"
        EXECUTE = "E"

    recorded = models.DateTimeField()
    action = models.CharField(max_length=1, choices=Action)
    subtype = models.CharField(max_length=50, help_text="The use case, such as book or cancel, or read.")
    user = models.ForeignKey("clinic.User", models.SET_NULL, null=True, blank=True)
    client = models.CharField(max_length=100, blank=True, help_text="The software that acted.")
    appointment = models.ForeignKey("clinic.Appointment", models.PROTECT, null=True, blank=True)
    reason = models.TextField(blank=True, help_text="Why a rule was overridden, if one was.")
    patient = models.ForeignKey("clinic.Patient", models.PROTECT, null=True, blank=True)
    target = models.CharField(max_length=200, blank=True, help_text="What was read, as a FHIR reference.")
    query = models.TextField(blank=True, help_text="What was asked for where it was more than one resource.")

    class Meta:
        ordering = ["-recorded", "-pk"]
        indexes = [models.Index(fields=["recorded", "id"], name="audit_recorded")]

    def __str__(self) -> str:
        return f"{self.subtype}, {self.recorded_in_words}"

    @property
    def recorded_in_words(self) -> str:
        """The use case and when it was, to the second, by the clinic's clock."""
        zone = clinic_zone()
        return f"{time_text.exact_moment(in_zone(self.recorded, zone))} ({time_text.zone_name(zone)})"


class IdempotencyKey(models.Model):
    """The first answer to a request that may be sent again, kept for a day.

    `answer` is what the door said, or the refusal; `fingerprint` a hash of what was asked.
    """

    owner = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    answer = ExactJSONField(null=True)
    created = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"{self.owner}: {self.key}"
