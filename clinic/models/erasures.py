"""The model Erasure: a request to delete everything about a patient, and the report of what was done."""

from django.db import models
from django.db.models import Q

from clinic.labels import Choices


class Erasure(models.Model):
    """A request to delete everything about a patient, until it is withdrawn, declined or carried out.

    `reason` is why the clinic declines, in words that the patient reads. Once it is carried out, `deleted` and `kept`
    have the number of rows by the names of scheduling.personal_data.tables, and nothing here names the person.
    """

    class Status(Choices):
        WAITING = "waiting", "Waiting"
        WITHDRAWN = "withdrawn", "Withdrawn"
        DECLINED = "declined", "Declined"
        DONE = "done", "Done"

    patient = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="erasures")
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    created = models.DateTimeField()
    requested_by = models.ForeignKey("clinic.User", models.SET_NULL, null=True, blank=True, related_name="+")
    decided = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("clinic.User", models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.TextField(blank=True)
    deleted = models.JSONField(default=dict)
    kept = models.JSONField(default=dict)

    class Meta:
        ordering = ["-created", "-pk"]
        indexes = [models.Index(fields=["-decided"], name="erasure_done", condition=Q(status="done"))]
        constraints = [
            models.UniqueConstraint(fields=["patient"], name="erasure_waits_once", condition=Q(status="waiting")),
        ]

    def __str__(self) -> str:
        return f"{self.patient}, {self.get_status_display()}"
