"""The model HealthcareService: a kind of visit, and the rules for booking it."""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from clinic.exact_json import ExactJSONField
from clinic.labels import Choices
from clinic.models.base import Resource, limit_field

OLDEST = 150  # years that an age limit can name
FEWEST_VISITS, MOST_VISITS = 2, 52  # of a course or series
MOST_WEEKS = 26  # between two visits of a course or series
MOST_DAYS = 60
MOST_MINUTES = 24 * 60  # for which a time can be kept for one person of the waiting list


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
        REFERRED = "referred", "Referred patients and staff"
        STAFF = "staff", "Staff only"

    class Eligibility(Choices):
        """The patients who can book the visit: new ones, returning ones, or both."""

        EVERYONE = "everyone", "New and returning patients"
        NEW = "new", "New patients"
        RETURNING = "returning", "Returning patients"

    class Pricing(Choices):
        """The kinds of price that patients read; empty if the clinic does not say it."""

        FIXED = "fixed", "A fixed price"
        RANGE = "range", "A price range"
        FREE = "free", "Free of charge"
        COVERED = "covered", "Paid by the insurance"

    class Prepayment(Choices):
        """The kinds of payment before a visit is booked; empty for none."""

        WHOLE = "whole", "The whole price"
        DEPOSIT = "deposit", "A deposit"
        CARD = "card", "A card, charged only for a missed visit"

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

    class WaitlistOrder(Choices):
        """The order in which the waiting are asked. Who joined first comes first among equals."""

        LONGEST = "longest", "Longest waiting first"
        URGENT = "urgent", "Most urgent first, as marked by staff"
        BOOKED = "booked", "Those with a visit booked first, the latest visit before others"

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
        db_default="",
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
    requires_verified_coverage = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Cannot be booked before the clinic has checked the patient's coverage.",
    )
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
    pricing = models.CharField(
        "kind of price",
        max_length=10,
        choices=Pricing,
        blank=True,
        default="",
        db_default="",
        help_text="What patients read about the price, from the list of visits on. Empty: nothing.",
    )
    price = models.PositiveIntegerField(null=True, blank=True, help_text="What is paid, with any tax.")
    price_to = models.PositiveIntegerField("highest price", null=True, blank=True, help_text="Only for a price range.")
    check_in_before = models.DurationField(
        "check-in opens",
        null=True,
        blank=True,
        default=timedelta(minutes=60),
        db_default=timedelta(minutes=60),
        help_text="How long before its start a patient can say online that they are here; empty: not online.",
    )
    check_in_after = models.DurationField(
        "check-in closes",
        default=timedelta(minutes=15),
        db_default=timedelta(minutes=15),
        help_text="How long after its start a patient can still say so.",
    )
    prepayment = models.CharField(
        "payment before booking",
        max_length=10,
        choices=Prepayment,
        blank=True,
        default="",
        db_default="",
        help_text="What patients give before they can book. Empty: nothing.",
    )
    deposit = models.PositiveIntegerField(null=True, blank=True, help_text="Counts towards the price.")
    missed_fee = models.PositiveIntegerField(
        "fee for a missed visit",
        null=True,
        blank=True,
        help_text="Staff charge it to the card that was kept, after a no-show or a late cancellation.",
    )
    refund_notice = models.DurationField(
        "whole refund until",
        null=True,
        blank=True,
        help_text="How long before its start a cancellation gives everything back. Empty: as long as patients can"
        " cancel.",
    )
    late_refund = models.PositiveSmallIntegerField(
        "refund after that",
        default=0,
        db_default=0,
        validators=[MaxValueValidator(100)],
        help_text="In percent of what was paid.",
    )
    payment_terms = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="The clinic's own words that patients agree to before they pay, below the sentences about the sum.",
    )
    recall_months = models.PositiveSmallIntegerField(
        "seen again after months",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(120)],
        help_text="After a visit that took place the patient is told when to book the next. Empty: nobody is told.",
    )
    total_day_limit = limit_field("visits a day", "On all schedules together; empty: no limit.")
    total_week_limit = limit_field("visits a week", "On all schedules together; empty: no limit.")
    new_patient_limit = limit_field("new patients a day", "Who have not been here before; empty: no limit.")
    patient_limit = limit_field("visits to come of one patient", "Booked at the same time; empty: no limit.")
    patient_week_limit = limit_field("visits of one patient a week", "Empty: no limit.")
    course_limit = models.PositiveSmallIntegerField(
        "visits of a course, at most",
        null=True,
        blank=True,
        validators=[MinValueValidator(FEWEST_VISITS), MaxValueValidator(MOST_VISITS)],
        help_text="How many visits a patient can book at once; empty: one at a time.",
    )
    course_visits = models.PositiveSmallIntegerField(
        "visits of a course, as a rule",
        null=True,
        blank=True,
        validators=[MinValueValidator(FEWEST_VISITS), MaxValueValidator(MOST_VISITS)],
        help_text="The number that is suggested; empty: as many as can be booked.",
    )
    course_weeks = models.PositiveSmallIntegerField(
        "weeks between two visits of a course",
        default=1,
        db_default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_WEEKS)],
        help_text="The number that is suggested.",
    )
    course_days = models.PositiveSmallIntegerField(
        "days between two visits of a course",
        default=1,
        db_default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
        help_text="At least, for visits that are booked as close together as possible.",
    )
    has_waitlist = models.BooleanField(
        "waiting list", default=True, db_default=True, help_text="Patients can ask to be offered times that come free."
    )
    waitlist_order = models.CharField(
        "order of the waiting list",
        max_length=10,
        choices=WaitlistOrder,
        default=WaitlistOrder.LONGEST,
        db_default=WaitlistOrder.LONGEST,
        help_text="Who is asked first when a time comes free.",
    )
    waitlist_minutes = models.PositiveSmallIntegerField(
        "minutes to answer",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_MINUTES)],
        help_text="How long a time that came free is kept for one person; empty: as the clinic's setting says.",
    )

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
                name="service_check_in_not_negative",
                condition=Q(check_in_after__gte=timedelta(0))
                & (Q(check_in_before__isnull=True) | Q(check_in_before__gte=timedelta(0))),
            ),
            models.CheckConstraint(
                name="service_ages_in_order",
                condition=Q(minimum_age__isnull=True)
                | Q(maximum_age__isnull=True)
                | Q(minimum_age__lte=F("maximum_age")),
                violation_error_message="The minimum age is above the maximum age.",
            ),
            models.CheckConstraint(
                name="service_price_of_its_kind",
                condition=Q(pricing__in=["", "free", "covered"], price__isnull=True, price_to__isnull=True)
                | Q(pricing="fixed", price__isnull=False, price_to__isnull=True)
                | Q(pricing="range", price__isnull=False, price_to__isnull=False, price_to__gt=F("price")),
                violation_error_message="A fixed price has one amount, a price range two: the lower one"
                " first. Other kinds have none.",
            ),
            models.CheckConstraint(
                name="service_course_in_order",
                condition=Q(course_visits__isnull=True) | Q(course_visits__lte=F("course_limit")),
                violation_error_message="A course cannot have more visits as a rule than at most.",
            ),
            models.CheckConstraint(
                name="service_prepayment_has_amount",
                condition=Q(prepayment="")
                | Q(prepayment="whole", pricing="fixed", price__gt=0)
                | Q(prepayment="deposit", deposit__isnull=False, deposit__gt=0)
                | Q(prepayment="card", missed_fee__isnull=False, missed_fee__gt=0),
                violation_error_message="The whole price can be paid before booking if it is fixed; a deposit and a fee"
                " for a missed visit need an amount.",
            ),
            models.CheckConstraint(
                name="service_prepayment_not_on_request",
                condition=Q(prepayment="") | Q(on_request=False),
                violation_error_message="A visit on request is not paid for before it is booked: the clinic may decline"
                " it.",
            ),
            models.CheckConstraint(
                name="service_late_refund_in_percent",
                condition=Q(late_refund__lte=100),
                violation_error_message="A refund is 100 percent at most.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
