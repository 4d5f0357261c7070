"""The models Bookable, Schedule and SchedulingParameters."""

from functools import reduce
from operator import or_
from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from clinic.available_time import period_of, weeks_of
from clinic.exact_json import ExactJSONField
from clinic.local_time import read_clock
from clinic.models.base import MOST_VISITS, Resource, limit_field, zone_field
from clinic.models.people import Patient, Practitioner, PractitionerRole
from clinic.models.places import Device, Location
from clinic.models.services import HealthcareService

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
ACTORS = ("practitioner", "location", "device", "healthcare_service", "patient")
Actor = Practitioner | Location | Device | HealthcareService | Patient


class Bookable(models.Model):
    """The time of one actor. All Schedules of an actor share one Bookable, so no time of theirs is booked twice."""

    practitioner = models.OneToOneField("clinic.Practitioner", models.PROTECT, null=True)
    location = models.OneToOneField("clinic.Location", models.PROTECT, null=True)
    device = models.OneToOneField("clinic.Device", models.PROTECT, null=True)
    healthcare_service = models.OneToOneField("clinic.HealthcareService", models.PROTECT, null=True)
    patient = models.OneToOneField("clinic.Patient", models.PROTECT, null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="bookable_is_one_actors",
                condition=reduce(
                    or_,
                    (Q(**{f"{actor}__isnull": actor != only for actor in ACTORS}) for only in ACTORS),
                ),
            )
        ]

    def __str__(self) -> str:
        return str(self.actor)

    @property
    def actor(self) -> Actor:
        actor = self.practitioner or self.location or self.device or self.healthcare_service or self.patient
        assert actor is not None  # bookable_is_one_actors
        return actor


class Schedule(Resource):
    """The services for which one actor can be booked, and until when: https://hl7.org/fhir/R4/schedule.html

    `practitioner_role` is set if the actor is a role; its `bookable` is that of the role's practitioner.
    """

    RESOURCE_TYPE = "Schedule"
    PATIENT = "bookable__patient"
    DESCRIBES_CLINIC = True

    active = models.BooleanField(default=True)
    bookable = models.ForeignKey("clinic.Bookable", models.PROTECT, related_name="schedules")
    practitioner_role = models.ForeignKey(
        "clinic.PractitionerRole", models.PROTECT, null=True, blank=True, related_name="schedules"
    )
    site = models.ForeignKey(
        "clinic.Location",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="schedules",
        help_text="The site of its visits; empty: any.",
    )
    services = models.ManyToManyField("clinic.HealthcareService", blank=True, related_name="schedules")
    offers_all_services = models.BooleanField(default=False)
    planning_start = models.DateTimeField(null=True, blank=True)
    planning_end = models.DateTimeField(null=True, blank=True)
    meeting_url = models.URLField(
        "video room", max_length=500, blank=True, help_text="Where its visits by video take place."
    )
    total_day_limit = limit_field("visits a day", "Of all services together; empty: no limit.")
    total_week_limit = limit_field("visits a week", "Of all services together; empty: no limit.")
    extra_limit = models.PositiveSmallIntegerField(
        "extra visits a day",
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_VISITS)],
        help_text="At times that are taken; 0: none; empty: as many as the clinic allows.",
    )
    comment = models.CharField(max_length=500, blank=True)
    identifier = ExactJSONField(default=list, blank=True)
    specialty = ExactJSONField(default=list, blank=True, help_text="FHIR CodeableConcepts.")

    class Meta:
        ordering = ["pk"]
        indexes = [GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="schedule_identifier")]
        constraints = [
            # The slots' foreign key refers to this pair, so a Slot cannot join one actor's schedule and another's time.
            models.UniqueConstraint(fields=["id", "bookable"], name="schedule_of_bookable"),
            models.CheckConstraint(
                name="schedule_plans_forward",
                condition=Q(planning_start__isnull=True)
                | Q(planning_end__isnull=True)
                | Q(planning_start__lt=F("planning_end")),
            ),
        ]

    def __str__(self) -> str:
        return self.comment or str(self.practitioner_role or self.bookable)

    @property
    def actor(self) -> Any:
        """The actor: a Practitioner, PractitionerRole, Location, Device, HealthcareService or Patient."""
        return self.practitioner_role or self.bookable.actor


def site_of(actor: Any) -> Location | None:
    """Return the site of an actor's visits, or None if the actor can work at several sites."""
    if isinstance(actor, Location):
        return actor.site
    if isinstance(actor, Device):
        return actor.location.site if actor.location else None
    if isinstance(actor, PractitionerRole):
        locations = list(actor.locations.all())
        return locations[0].site if len(locations) == 1 else None
    return None


class KeptTimeCheck(models.Model):
    """The time that a schedule kept for a service when a worker last looked, so that it notices what is released.

    `kept` is as in SchedulingParameters. Nothing is released by itself before `next_release`; None: never.
    """

    schedule = models.ForeignKey("clinic.Schedule", models.CASCADE, related_name="+", db_index=False)
    service = models.ForeignKey("clinic.HealthcareService", models.CASCADE, related_name="+", db_index=False)
    kept = ExactJSONField()
    checked = models.DateTimeField()
    next_release = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "service"], name="kept_time_is_checked_once")]

    def __str__(self) -> str:
        return f"{self.schedule_id}, {self.service_id}: {self.checked}"


class SchedulingParameters(models.Model):
    """Medplum's SchedulingParameters of a service, for all schedules or for one.

    https://www.medplum.com/docs/scheduling/defining-availability. An empty column takes the value of the service's
    own row, else the default. Lengths are in minutes. Limits count the service's visits on one schedule. `availability`
    holds FHIR availableTime elements and replaces the service's; `not_available` holds notAvailableTime elements
    (description, during), in addition to the service's. `kept` holds the time that is kept for the service, in
    addition to that in the service's row: each entry an `availableTime` and, if it is released, `releasedBefore`.
    """

    service = models.ForeignKey("clinic.HealthcareService", models.CASCADE, related_name="scheduling_parameters")
    schedule = models.ForeignKey(
        "clinic.Schedule",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="scheduling_parameters",
        help_text="Empty: for every schedule of the service.",
    )
    duration = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(DAY_MINUTES)]
    )
    buffer_before = models.PositiveIntegerField(null=True, blank=True, validators=[MaxValueValidator(DAY_MINUTES)])
    buffer_after = models.PositiveIntegerField(null=True, blank=True, validators=[MaxValueValidator(DAY_MINUTES)])
    alignment_interval = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(DAY_MINUTES)]
    )
    alignment_offset = models.IntegerField(
        null=True, blank=True, validators=[MinValueValidator(-DAY_MINUTES), MaxValueValidator(DAY_MINUTES)]
    )
    alignment_timezone = zone_field()
    timezone = zone_field()
    slot_capacity = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(200)]
    )
    day_limit = limit_field("visits a day", "On one schedule; empty: no limit.")
    week_limit = limit_field("visits a week", "On one schedule; empty: no limit.")
    session_limit = limit_field(
        "visits a session", "In one spell of the hours of a schedule, such as a morning; empty: no limit."
    )
    new_patient_session_limit = limit_field(
        "new patients a session", "Visits of new patients in one spell of the hours of a schedule; empty: no limit."
    )
    availability = ExactJSONField(null=True, blank=True)
    not_available = ExactJSONField(default=list, blank=True)
    kept = ExactJSONField("kept time", default=list, db_default=[], blank=True)

    class Meta:
        verbose_name_plural = "scheduling parameters"
        ordering = ["service__name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["service", "schedule"], name="parameters_once_each", nulls_distinct=False),
            models.CheckConstraint(
                name="parameters_within_a_day",
                condition=(Q(duration__isnull=True) | Q(duration__range=(1, DAY_MINUTES)))
                & (Q(alignment_interval__isnull=True) | Q(alignment_interval__range=(1, DAY_MINUTES)))
                & (Q(slot_capacity__isnull=True) | Q(slot_capacity__range=(1, 200))),
            ),
        ]
        indexes = [models.Index(fields=["schedule"], name="parameters_that_keep_time", condition=~Q(kept=[]))]

    def __str__(self) -> str:
        return f"{self.service} on {self.schedule}" if self.schedule else str(self.service)

    def clean(self) -> None:
        if self.availability is not None:
            validate_availability(self.availability)


def validate_availability(entries: Any) -> None:
    """Raise ValidationError unless these are FHIR availableTime elements.

    Each has known days, and either a start and an end time or allDay; its extensions can be read.
    """
    if not isinstance(entries, list):
        raise ValidationError("Availability is a list of weekly windows.")
    for number, entry in enumerate(entries, start=1):
        where = f"Window {number}"
        if not isinstance(entry, dict) or not isinstance(entry.get("daysOfWeek", []), list):
            raise ValidationError(f"{where} is not an availableTime element.")
        unknown = [day for day in entry.get("daysOfWeek", []) if day not in WEEKDAYS]
        if unknown:
            raise ValidationError(f"{where}: {unknown[0]!r} is not one of {', '.join(WEEKDAYS)}.")
        try:
            period_of(entry)
            weeks_of(entry)
        except ValueError as error:
            raise ValidationError(f"{where}: {error}") from None
        if entry.get("allDay"):
            continue
        for name in ("availableStartTime", "availableEndTime"):
            try:
                read_clock(entry[name])
            except KeyError:
                raise ValidationError(f"{where} has no {name}.") from None
            except (TypeError, ValueError):
                raise ValidationError(f"{where}: {name} is not a time such as 09:00:00.") from None
