"""The model InsurancePlan."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from clinic.exact_json import ExactJSONField
from clinic.labels import Choices
from clinic.models.base import Resource


class InsurancePlan(Resource):
    """An insurance plan that the clinic accepts: https://hl7.org/fhir/R4/insuranceplan.html

    It is accepted for all services at all sites, unless it names some.
    """

    RESOURCE_TYPE = "InsurancePlan"
    PATIENT = None
    DESCRIBES_CLINIC = True

    class Status(Choices):
        """https://hl7.org/fhir/R4/valueset-publication-status.html"""

        DRAFT = "draft"
        ACTIVE = "active"
        RETIRED = "retired"
        UNKNOWN = "unknown"

    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    name = models.CharField(max_length=200)
    payer = models.ForeignKey(
        "clinic.Organization", models.PROTECT, null=True, blank=True, related_name="insurance_plans"
    )
    services = models.ManyToManyField(
        "clinic.HealthcareService", blank=True, related_name="insurance_plans", help_text="Empty: for all services."
    )
    locations = models.ManyToManyField(
        "clinic.Location", blank=True, related_name="insurance_plans", help_text="Empty: at all sites."
    )
    identifier = ExactJSONField(default=list, blank=True)

    class Meta:
        ordering = ["name", "pk"]
        indexes = [GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="insurance_plan_identifier")]

    def __str__(self) -> str:
        return f"{self.payer}, {self.name}" if self.payer else self.name
