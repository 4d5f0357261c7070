"""What is asked before a visit."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from clinic.models.base import Resource


class Questionnaire(Resource):
    """https://hl7.org/fhir/R4/questionnaire.html"""

    RESOURCE_TYPE = "Questionnaire"

    class Status(models.TextChoices):
        """https://hl7.org/fhir/R4/valueset-publication-status.html"""

        DRAFT = "draft"
        ACTIVE = "active"
        RETIRED = "retired"
        UNKNOWN = "unknown"

    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    url = models.CharField(max_length=500, blank=True, help_text="Its canonical name.")
    name = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=200, blank=True)
    item = models.JSONField(default=list, blank=True, help_text="FHIR Questionnaire.item")
    identifier = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["title", "pk"]
        indexes = [GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="questionnaire_identifier")]

    def __str__(self) -> str:
        return self.title or self.name or self.fhir_id
