"""The models Coverage, CareTeam and Encounter."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext, gettext_lazy

from clinic.exact_json import ExactJSONField
from clinic.labels import Choices
from clinic.models.base import Resource


class Coverage(Resource):
    """A patient's insurance: https://hl7.org/fhir/R4/coverage.html"""

    RESOURCE_TYPE = "Coverage"
    PATIENT = "beneficiary"
    DESCRIBES_CLINIC = False
    PLAIN_NAME = gettext_lazy("insurance")
    REFERENCE_LISTS = (("payor", ""),)

    class Status(Choices):
        """https://hl7.org/fhir/R4/valueset-fm-status.html"""

        ACTIVE = "active"
        CANCELLED = "cancelled"
        DRAFT = "draft"
        ENTERED_IN_ERROR = "entered-in-error"

    class Verification(Choices):
        """The state of the clinic's check of the coverage."""

        DECLARED = "declared", "Not checked yet"
        VERIFIED = "verified", "Checked by the clinic"
        REJECTED = "rejected", "Rejected by the clinic"

    # The elements of the card: if a patient changes one, the clinic has to check the coverage again.
    CARD: ClassVar[tuple[str, ...]] = (
        "beneficiary_id",
        "type",
        "subscriber_id",
        "payor",
        "insurance_plan_id",
        "start",
        "end",
    )

    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    beneficiary = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="coverages")
    type = ExactJSONField(null=True, blank=True, help_text="FHIR CodeableConcept.")
    subscriber_id = models.CharField("member number", max_length=100, blank=True)
    payor = ExactJSONField(default=list, blank=True, help_text="FHIR References; who pays, by display.")
    insurance_plan = models.ForeignKey(
        "clinic.InsurancePlan", models.PROTECT, null=True, blank=True, related_name="coverages", verbose_name="plan"
    )
    start = models.DateField("valid from", null=True, blank=True)
    end = models.DateField("valid until", null=True, blank=True)
    verification = models.CharField(
        max_length=10, choices=Verification, default=Verification.DECLARED, db_default=Verification.DECLARED.value
    )
    verification_reason = models.TextField(
        "reason", blank=True, default="", db_default="", help_text="Why it was rejected: the patient reads it."
    )
    verified_at = models.DateTimeField("checked", null=True, blank=True, editable=False)
    confirmed_at = models.DateTimeField("confirmed by the patient", null=True, blank=True, editable=False)
    identifier = ExactJSONField(default=list, blank=True)

    class Meta:
        ordering = ["-start", "-pk"]
        indexes = [
            GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="coverage_identifier"),
            GinIndex(fields=["payor"], opclasses=["jsonb_path_ops"], name="coverage_payor"),
        ]
        constraints = [
            models.CheckConstraint(
                name="coverage_runs_forward",
                condition=Q(start__isnull=True) | Q(end__isnull=True) | Q(start__lte=F("end")),
            )
        ]

    def __str__(self) -> str:
        name = next((payor.get("display", "") for payor in self.payor), "")
        return " ".join(part for part in (name, self.subscriber_id) if part) or self.fhir_id


class CareTeam(Resource):
    """The people who care for a patient: https://hl7.org/fhir/R4/careteam.html"""

    RESOURCE_TYPE = "CareTeam"
    PATIENT = "patient"
    DESCRIBES_CLINIC = False
    PLAIN_NAME = gettext_lazy("care teams")
    REFERENCE_LISTS = (("participant", "member"),)

    class Status(Choices):
        """https://hl7.org/fhir/R4/valueset-care-team-status.html"""

        PROPOSED = "proposed"
        ACTIVE = "active"
        SUSPENDED = "suspended"
        INACTIVE = "inactive"
        ENTERED_IN_ERROR = "entered-in-error"

    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    name = models.CharField(max_length=200, blank=True)
    patient = models.ForeignKey("clinic.Patient", models.PROTECT, null=True, blank=True, related_name="care_teams")
    participant = ExactJSONField(default=list, blank=True, help_text="FHIR CareTeam.participant: member references.")
    identifier = ExactJSONField(default=list, blank=True)

    class Meta:
        ordering = ["name", "pk"]
        indexes = [
            GinIndex(fields=["participant"], opclasses=["jsonb_path_ops"], name="care_team_participant"),
            GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="care_team_identifier"),
        ]

    def __str__(self) -> str:
        return self.name or self.fhir_id


class Encounter(Resource):
    """A meeting with a patient, often for an Appointment, which may have several.

    https://hl7.org/fhir/R4/encounter.html
    """

    RESOURCE_TYPE = "Encounter"
    PATIENT = "patient"
    DESCRIBES_CLINIC = False
    PLAIN_NAME = gettext_lazy("visits that have taken place")
    REFERENCE_LISTS = (("participant", "individual"),)

    class Status(Choices):
        """https://hl7.org/fhir/R4/valueset-encounter-status.html"""

        PLANNED = "planned"
        ARRIVED = "arrived"
        TRIAGED = "triaged"
        IN_PROGRESS = "in-progress"
        ON_LEAVE = "onleave"
        FINISHED = "finished"
        CANCELLED = "cancelled"
        ENTERED_IN_ERROR = "entered-in-error"
        UNKNOWN = "unknown"

    class Class(Choices):
        """https://terminology.hl7.org/CodeSystem-v3-ActCode.html"""

        AMBULATORY = "AMB", "Ambulatory"
        VIRTUAL = "VR", "Virtual"

    status = models.CharField(max_length=20, choices=Status)
    encounter_class = models.CharField("class", max_length=10, choices=Class, default=Class.AMBULATORY)
    appointment = models.ForeignKey(
        "clinic.Appointment", models.PROTECT, null=True, blank=True, related_name="encounters"
    )
    patient = models.ForeignKey("clinic.Patient", models.PROTECT, null=True, blank=True, related_name="encounters")
    service = models.ForeignKey(
        "clinic.HealthcareService", models.PROTECT, null=True, blank=True, related_name="encounters"
    )
    start = models.DateTimeField(null=True, blank=True)
    end = models.DateTimeField(null=True, blank=True)
    participant = ExactJSONField(default=list, blank=True)
    identifier = ExactJSONField(default=list, blank=True)

    class Meta:
        ordering = ["-start", "-pk"]
        indexes = [
            GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="encounter_identifier"),
            GinIndex(fields=["participant"], opclasses=["jsonb_path_ops"], name="encounter_participant"),
        ]

    def __str__(self) -> str:
        return f"{self.service or gettext('Visit')}, {self.get_status_display()}"
