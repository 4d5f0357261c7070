"""The model AppointmentResponse: participants' replies to a visit."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy

from clinic.exact_json import ExactJSONField
from clinic.labels import Choices
from clinic.models.base import Resource


class AppointmentResponse(Resource):
    """A participant's reply to a visit; it never changes: https://hl7.org/fhir/R4/appointmentresponse.html

    `actor` is the participant who replies, as a FHIR Reference. `start` and `end` are the time that they suggest.
    """

    RESOURCE_TYPE = "AppointmentResponse"
    PATIENT = "appointment__patient"
    DESCRIBES_CLINIC = False
    PLAIN_NAME = gettext_lazy("replies to visit invitations")

    class Status(Choices):
        """https://hl7.org/fhir/R4/valueset-participationstatus.html"""

        ACCEPTED = "accepted"
        DECLINED = "declined"
        TENTATIVE = "tentative"
        NEEDS_ACTION = "needs-action"

    appointment = models.ForeignKey("clinic.Appointment", models.PROTECT, related_name="responses")
    actor = ExactJSONField(help_text="FHIR Reference.")
    participant_type = ExactJSONField(default=list, blank=True, help_text="FHIR CodeableConcepts.")
    participant_status = models.CharField(max_length=20, choices=Status)
    start = models.DateTimeField(null=True, blank=True)
    end = models.DateTimeField(null=True, blank=True)
    comment = models.TextField(blank=True)
    identifier = ExactJSONField(default=list, blank=True)

    class Meta:
        ordering = ["-last_updated", "-pk"]
        indexes = [
            GinIndex(fields=["actor"], opclasses=["jsonb_path_ops"], name="response_actor"),
            GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="response_identifier"),
        ]

    def __str__(self) -> str:
        return f"{self.actor.get('display') or self.actor.get('reference', '')}, {self.participant_status}"
