"""The models FhirExport and FhirExportPart: a file of everything as FHIR, which a worker makes."""

from django.db import models
from django.db.models import Q

from clinic.encryption import decrypt_bytes, encrypt_bytes
from clinic.labels import Choices

PURPOSE = "export"


class FhirExport(models.Model):
    """A file of everything as FHIR that an owner has asked for, and how far it is.

    `resources` is how many it has, `size` its bytes as they are downloaded. It is deleted with its parts once it
    `expires`. `attempts` counts the workers that began it.
    """

    class Status(Choices):
        WAITING = "waiting", "Being made"
        DONE = "done", "Ready"
        FAILED = "failed", "Stopped by an error"

    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    created = models.DateTimeField()
    created_by = models.ForeignKey("clinic.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    resources = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    finished = models.DateTimeField(null=True)
    expires = models.DateTimeField(null=True, db_index=True)

    class Meta:
        ordering = ["-created", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["status"], condition=Q(status="waiting"), name="fhir_export_one_at_a_time")
        ]

    def __str__(self) -> str:
        return f"{self.created:%Y-%m-%d %H:%M}"


class FhirExportPart(models.Model):
    """A stretch of the file, compressed and encrypted: the parts after one another are the file."""

    export = models.ForeignKey("clinic.FhirExport", models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    encrypted = models.BinaryField()

    class Meta:
        ordering = ["export", "number"]
        constraints = [models.UniqueConstraint(fields=["export", "number"], name="fhir_export_part_once")]

    def __str__(self) -> str:
        return f"{self.export_id}, {self.number}"

    @property
    def content(self) -> bytes:
        """The compressed bytes. Raises CannotDecrypt."""
        return decrypt_bytes(bytes(self.encrypted), PURPOSE)

    @content.setter
    def content(self, content: bytes) -> None:
        self.encrypted = encrypt_bytes(content, PURPOSE)
