"""The models CardPhoto and DetailsChange: photos of insurance cards, and changes that wait for the clinic."""

from django.db import models
from django.db.models import Q

from clinic.exact_json import ExactJSONField
from clinic.labels import Choices


class CardPhoto(models.Model):
    """A photo of one side of an insurance card: a JPEG image without metadata, as scheduling.card_images makes it."""

    class Side(Choices):
        FRONT = "front", "Front"
        BACK = "back", "Back"

    coverage = models.ForeignKey("clinic.Coverage", models.CASCADE, related_name="photos")
    side = models.CharField(max_length=5, choices=Side)
    image = models.BinaryField()
    taken = models.DateTimeField()

    class Meta:
        ordering = ["coverage", "-side"]
        constraints = [models.UniqueConstraint(fields=["coverage", "side"], name="card_photo_once")]

    def __str__(self) -> str:
        return f"{self.coverage}, {self.get_side_display()}"


class DetailsChange(models.Model):
    """A change of a name or birth date that the clinic has verified: a patient asks for it, and staff decide.

    `changes` are the new values by the names of the record's columns; `born` is FHIR's birthDate.
    """

    class Status(Choices):
        WAITING = "waiting", "Waiting"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"

    patient = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="details_changes")
    changes = ExactJSONField()
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    created = models.DateTimeField()
    requested_by = models.ForeignKey("clinic.User", models.SET_NULL, null=True, related_name="+")
    decided = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("clinic.User", models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-created", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], name="details_change_waits_once", condition=Q(status="waiting")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient}, {self.get_status_display()}"
