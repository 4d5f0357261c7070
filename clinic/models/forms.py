"""The models Questionnaire and QuestionnaireResponse."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext, gettext_lazy

from clinic.exact_json import ExactJSONField
from clinic.labels import Choices
from clinic.models.base import Resource


class Questionnaire(Resource):
    """The questions that patients answer before a visit: https://hl7.org/fhir/R4/questionnaire.html"""

    RESOURCE_TYPE = "Questionnaire"
    PATIENT = None
    DESCRIBES_CLINIC = True
    PLAIN_NAME = gettext_lazy("the questions before a visit")
    TRANSLATED = ("title",)

    class Status(Choices):
        """https://hl7.org/fhir/R4/valueset-publication-status.html"""

        DRAFT = "draft"
        ACTIVE = "active"
        RETIRED = "retired"
        UNKNOWN = "unknown"

    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    url = models.CharField(max_length=500, blank=True, help_text="Its canonical name.")
    name = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=200, blank=True)
    item = ExactJSONField(default=list, blank=True, help_text="FHIR Questionnaire.item")
    identifier = ExactJSONField(default=list, blank=True)

    class Meta:
        ordering = ["title", "pk"]
        indexes = [GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="questionnaire_identifier")]

    def __str__(self) -> str:
        return self.title or self.name or self.fhir_id


class QuestionnaireResponse(Resource):
    """A patient's answers to a questionnaire: https://hl7.org/fhir/R4/questionnaireresponse.html

    Answers that are still being typed are `in-progress`. `patient` is FHIR's subject.
    """

    RESOURCE_TYPE = "QuestionnaireResponse"
    PATIENT = "patient"
    DESCRIBES_CLINIC = False
    PLAIN_NAME = gettext_lazy("answers to questions before a visit")

    class Status(Choices):
        """https://hl7.org/fhir/R4/valueset-questionnaire-answers-status.html"""

        IN_PROGRESS = "in-progress"
        COMPLETED = "completed"
        AMENDED = "amended"
        ENTERED_IN_ERROR = "entered-in-error"
        STOPPED = "stopped"

    status = models.CharField(max_length=20, choices=Status, default=Status.IN_PROGRESS)
    questionnaire = models.ForeignKey(
        "clinic.Questionnaire", models.PROTECT, null=True, blank=True, related_name="responses"
    )
    patient = models.ForeignKey(
        "clinic.Patient", models.PROTECT, null=True, blank=True, related_name="questionnaire_responses"
    )
    appointment = models.ForeignKey(
        "clinic.Appointment", models.PROTECT, null=True, blank=True, related_name="questionnaire_responses"
    )
    authored = models.DateTimeField(null=True, blank=True)
    item = ExactJSONField(default=list, blank=True, help_text="FHIR QuestionnaireResponse.item")

    class Meta:
        ordering = ["-authored", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["appointment", "questionnaire"],
                name="questionnaire_response_once",
                condition=models.Q(appointment__isnull=False, deleted_at__isnull=True)
                & ~models.Q(status="entered-in-error"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.questionnaire or gettext('Answers')}, {self.get_status_display()}"
