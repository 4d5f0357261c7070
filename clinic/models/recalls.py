"""The model Task: recalls, that is patients who are to be seen again."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from clinic.labels import Choices
from clinic.models.base import Resource


class Task(Resource):
    """A recall: a patient is to be seen again from `due` on: https://hl7.org/fhir/R4/task.html

    It follows the visit `appointment`, and is for the same service with the same `practitioner`. From `next_message` on
    the patient is told; `messages` counts how often. It is `completed` by the visit that the patient has `booked`,
    `rejected` if they decline, and `cancelled` by staff. One that a service's rule made is `by_rule`.
    """

    RESOURCE_TYPE = "Task"
    PATIENT = "patient"
    DESCRIBES_CLINIC = False
    PLAIN_NAME = gettext_lazy("reminders to come again")

    class Status(Choices):
        """https://hl7.org/fhir/R4/valueset-task-status.html"""

        REQUESTED = "requested"
        IN_PROGRESS = "in-progress"
        COMPLETED = "completed"
        REJECTED = "rejected"
        CANCELLED = "cancelled"

    status = models.CharField(max_length=20, choices=Status, default=Status.REQUESTED)
    patient = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="recalls")
    service = models.ForeignKey("clinic.HealthcareService", models.PROTECT, related_name="recalls")
    practitioner = models.ForeignKey(
        "clinic.Practitioner", models.PROTECT, null=True, blank=True, related_name="recalls"
    )
    appointment = models.ForeignKey("clinic.Appointment", models.PROTECT, related_name="recalls")
    booked = models.ForeignKey(
        "clinic.Appointment", models.SET_NULL, null=True, blank=True, related_name="ended_recalls", editable=False
    )
    due = models.DateField(help_text="The patient is to be seen again from this day on.")
    note = models.CharField(max_length=500, blank=True, help_text="Staff see it, the patient does not.")
    by_rule = models.BooleanField(default=False, editable=False)
    authored = models.DateTimeField("made", editable=False)
    messages = models.PositiveSmallIntegerField("times told", default=0, editable=False)
    next_message = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["due", "pk"]
        verbose_name = "recall"
        indexes = [
            models.Index(fields=["due"], name="recall_open", condition=Q(status__in=["requested", "in-progress"])),
        ]
        constraints = [
            models.UniqueConstraint(fields=["appointment"], name="recall_by_rule_once", condition=Q(by_rule=True)),
        ]

    def __str__(self) -> str:
        return f"{self.patient}, {self.service}"

    @classmethod
    def open(cls) -> Q:
        """Return the condition for recalls that have not ended."""
        return Q(status__in=(cls.Status.REQUESTED, cls.Status.IN_PROGRESS), deleted_at=None)

    @property
    def is_open(self) -> bool:
        return self.status in (self.Status.REQUESTED, self.Status.IN_PROGRESS) and self.deleted_at is None
