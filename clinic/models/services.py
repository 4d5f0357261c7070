"""The model HealthcareService: a kind of visit, and the rules for booking it."""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q

from clinic.exact_json import ExactJSONField
from clinic.labels import Choices
from clinic.models.base import Resource, limit_field

OLDEST = 150  # years that an age limit can name


def default_reminders() -> list[timedelta]:
    """Return how long before a visit its reminders are sent by default: two days, and two hours."""
    return [timedelta(hours=48), timedelta(hours=2)]


class HealthcareService(Resource):
    """A kind of visit: https://hl7.org/fhir/R4/healthcareservice.html

    Its duration, buffers and grid are in SchedulingParameters.
    """

    RESOURCE_TYPE = "HealthcareService"
    PATIENT = None
    DESCRIBES_CLINIC = True
    TRANSLATED = ("name", "comment", "preparation")

    class ActorType(Choices):
        """The kinds of actor whose time a visit takes. Each needs a Schedule that offers the service."""

        PRACTITIONER = "Practitioner"
        LOCATION = "Location", "Room"
        DEVICE = "Device"

    class BookableBy(Choices):
        PATIENTS = "patients", "Patients and staff"
        STAFF = "staff", "Staff only"

    class Eligibility(Choices):
        """The patients who can book the visit: new ones, returning ones, or both."""

        EVERYONE = "everyone", "New and returning patients"
        NEW = "new", "New patients"
        RETURNING = "returning", "Returning patients"

    class AppointmentType(Choices):
        """Codes of v2-0276, in capitals, and of Argonaut's appt-type: clinic.fhir.visit_types has their systems."""

        ROUTINE = "ROUTINE", "Routine"
        CHECKUP = "CHECKUP", "Check-up"
        FOLLOW_UP = "FOLLOWUP", "Follow-up"
        WALK_IN = "WALKIN", "Walk-in"
        EMERGENCY = "EMERGENCY", "Emergency"
        NEW_PATIENT = "new-patient", "New patient"
        SAME_DAY = "same-day", "Same day"
        URGENT = "urgent", "Urgent"
        PRE_OPERATIVE = "pre-op", "Before an operation"
        POST_OPERATIVE = "post-op", "After an operation"

    active = models.BooleanField(default=True)
    name = models.CharField(max_length=200)
    comment = models.TextField(blank=True, help_text="What a patient reads before choosing this visit.")
    preparation = models.TextField(blank=True, help_text="What a patient reads once it is booked: how to prepare.")
    organization = models.ForeignKey(
        "clinic.Organization", models.PROTECT, null=True, blank=True, related_name="services"
    )
    locations = models.ManyToManyField("clinic.Location", blank=True, related_name="services")
    type = ExactJSONField(default=list, blank=True, help_text="FHIR CodeableConcepts.")
    specialty = ExactJSONField(default=list, blank=True, help_text="FHIR CodeableConcepts.")
    appointment_type = models.CharField(
        "style of visit",
        max_length=20,
        choices=AppointmentType,
        blank=True,
        help_text="What other systems are told that its times are for. Empty: what its type says, else routine.",
    )
    identifier = ExactJSONField(default=list, blank=True)

    requires = ArrayField(
        models.CharField(max_length=20, choices=ActorType),
        default=list,
        blank=True,
        help_text="Kinds of schedule that one visit takes together, such as Practitioner, Location, Device.",
    )
    bookable_by = models.CharField(max_length=10, choices=BookableBy, default=BookableBy.PATIENTS)
    on_request = models.BooleanField(
        "on request",
        default=False,
        help_text="Patients ask for a time, which is kept; it is booked once the people of the visit have accepted.",
    )
    eligibility = models.CharField("for", max_length=10, choices=Eligibility, default=Eligibility.EVERYONE)
    minimum_age = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(OLDEST)],
        help_text="In years, on the day of the visit; empty: from birth.",
    )
    maximum_age = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(OLDEST)],
        help_text="In years, on the day of the visit: 17 lets patients in until they are 18. Empty: no limit.",
    )
    telehealth = models.BooleanField("by video", default=False)
    named_in_email = models.BooleanField(
        "name this visit in emails",
        default=True,
        help_text="Without it, emails say neither what the visit is for, nor with whom, nor how to prepare.",
    )
    questionnaires = models.ManyToManyField("clinic.Questionnaire", blank=True, related_name="services")
    requires_questionnaires = models.BooleanField(
        default=False, help_text="Cannot be booked before its questionnaires are answered."
    )
    requires_coverage = models.BooleanField(default=False, help_text="Cannot be booked without active coverage.")
    requires_care_team = models.BooleanField(
        default=False, help_text="Can be booked only with practitioners of the patient's care team."
    )
    reminders = ArrayField(
        models.DurationField(),
        default=default_reminders,
        blank=True,
        help_text="How long before its start a patient is reminded; separated by commas.",
    )
    minimum_notice = models.DurationField(
        default=timedelta(0), help_text="How long before its start a visit can last be booked."
    )
    booking_horizon_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(3650)],
        help_text="How far ahead a visit can be booked; empty: as far as the schedules go.",
    )
    cancellation_notice = models.DurationField(
        default=timedelta(0), help_text="How long before its start a patient can last cancel or move a visit."
    )
    total_day_limit = limit_field("visits a day", "On all schedules together; empty: no limit.")
    total_week_limit = limit_field("visits a week", "On all schedules together; empty: no limit.")
    new_patient_limit = limit_field("new patients a day", "Who have not been here before; empty: no limit.")
    patient_limit = limit_field("visits to come of one patient", "Booked at the same time; empty: no limit.")
    patient_week_limit = limit_field("visits of one patient a week", "Empty: no limit.")

    class Meta:
        ordering = ["name", "pk"]
        indexes = [
            GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="service_identifier"),
            GinIndex(fields=["type"], opclasses=["jsonb_path_ops"], name="service_type"),
        ]
        constraints = [
            models.CheckConstraint(
                name="service_notice_not_negative",
                condition=Q(minimum_notice__gte=timedelta(0), cancellation_notice__gte=timedelta(0)),
            ),
            models.CheckConstraint(
                name="service_ages_in_order",
                condition=Q(minimum_age__isnull=True)
                | Q(maximum_age__isnull=True)
                | Q(minimum_age__lte=F("maximum_age")),
                violation_error_message="The minimum age is above the maximum age.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
