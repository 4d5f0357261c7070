"""The model ServiceRequest: referrals, and the tickets that they are for patients."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, gettext_lazy

from clinic.exact_json import ExactJSONField
from clinic.labels import Choices
from clinic.message_kinds import Medium
from clinic.models.base import Resource


class ServiceRequest(Resource):
    """A referral of a patient for a service: https://hl7.org/fhir/R4/servicerequest.html

    With a `service` of the clinic it is a ticket: it gives one visit, which Appointment.referral records. Without one
    it is stored for other software and gives nothing. `valid_until` is when a ticket ends that has not been used.
    `patient_name` is the name as the referrer wrote it, also where the `patient` is not known yet: then the ticket
    becomes that of whoever uses it. `referred_by` is the account of a referrer who uses the pages, and `end_told` when
    they were told that it ended unused. `contact_media` are the media for which the referrer has given an address of
    the patient. Documents are contained DocumentReferences, in `extra`.
    """

    RESOURCE_TYPE = "ServiceRequest"
    PATIENT = "patient"
    DESCRIBES_CLINIC = False
    PLAIN_NAME = gettext_lazy("referrals")

    class Status(Choices):
        """https://hl7.org/fhir/R4/valueset-request-status.html"""

        DRAFT = "draft"
        ACTIVE = "active"
        ON_HOLD = "on-hold"
        REVOKED = "revoked"
        COMPLETED = "completed"
        ENTERED_IN_ERROR = "entered-in-error"
        UNKNOWN = "unknown"

    class Intent(Choices):
        """https://hl7.org/fhir/R4/valueset-request-intent.html"""

        PROPOSAL = "proposal"
        PLAN = "plan"
        DIRECTIVE = "directive"
        ORDER = "order"
        ORIGINAL_ORDER = "original-order"
        REFLEX_ORDER = "reflex-order"
        FILLER_ORDER = "filler-order"
        INSTANCE_ORDER = "instance-order"
        OPTION = "option"

    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    intent = models.CharField(max_length=20, choices=Intent, default=Intent.ORDER)
    patient = models.ForeignKey("clinic.Patient", models.PROTECT, null=True, blank=True, related_name="referrals")
    patient_name = models.CharField(max_length=400, blank=True)
    service = models.ForeignKey(
        "clinic.HealthcareService", models.PROTECT, null=True, blank=True, related_name="referrals"
    )
    requester = ExactJSONField("referred by", null=True, blank=True, help_text="FHIR Reference.")
    referred_by = models.ForeignKey(
        "clinic.User", models.SET_NULL, null=True, blank=True, related_name="referrals", editable=False
    )
    reason = models.TextField(blank=True)
    authored = models.DateTimeField("made", null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    end_told = models.DateTimeField(null=True, blank=True, editable=False)
    contact_media = ArrayField(
        models.CharField(max_length=10, choices=Medium), default=list, db_default=[], blank=True, editable=False
    )
    identifier = ExactJSONField(default=list, blank=True)

    class Meta:
        ordering = ["-authored", "-pk"]
        verbose_name = "referral"
        indexes = [
            GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="referral_identifier"),
            models.Index(
                fields=["valid_until"],
                name="referral_not_ended",
                condition=Q(status="active", end_told__isnull=True, referred_by__isnull=False),
            ),
        ]

    @property
    def referrer(self) -> str:
        """The name of the person or organization that refers; empty if only a reference was sent."""
        return str((self.requester or {}).get("display") or "")

    def __str__(self) -> str:
        return f"{self.service or gettext('Referral')}, {self.referrer or self.fhir_id}"
