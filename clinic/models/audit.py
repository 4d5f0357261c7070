"""The models AuditEvent and IdempotencyKey: the audit log, and stored responses to repeated requests."""

from django.db import models

from clinic import time_text
from clinic.country import clinic_zone
from clinic.exact_json import ExactJSONField
from clinic.labels import Choices
from clinic.local_time import in_zone
from clinic.models.base import Resource


class AuditEvent(Resource):
    """A line of the audit log: https://hl7.org/fhir/R4/auditevent.html

    Each use case writes one in its transaction. A response to staff or to software writes one more for each patient
    whose data it contains.
    """

    RESOURCE_TYPE = "AuditEvent"
    PATIENT = None
    DESCRIBES_CLINIC = False

    class Action(Choices):
        CREATE = "C", "Created"
        READ = "R", "Read"
        UPDATE = "U", "Changed"
        DELETE = "D", "Deleted"
        EXECUTE = "E", "Executed"

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
        """The time of the event to the second, in the clinic's zone, with the zone's name."""
        zone = clinic_zone()
        return f"{time_text.exact_moment(in_zone(self.recorded, zone))} ({time_text.zone_name(zone)})"


class IdempotencyKey(models.Model):
    """The first response to a request with an Idempotency-Key, kept so that a repeated request gets the same one.

    `answer` is the response or the refusal as JSON; `fingerprint` is a hash of the request.
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
