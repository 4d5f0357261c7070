"""The models Appointment and Slot: visits, and the time that they take."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    BigIntegerRangeField,
    DateTimeRangeField,
    IntegerRangeField,
    RangeOperators,
)
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext, gettext_lazy

from clinic import time_text
from clinic.country import clinic_zone
from clinic.exact_json import ExactJSONField
from clinic.labels import Choices
from clinic.local_time import in_zone
from clinic.models.base import Resource

if TYPE_CHECKING:
    from clinic.models.places import Location


# Statuses in which a visit uses up its ticket.
USES_TICKET = ("pending", "booked", "arrived", "checked-in", "fulfilled", "noshow")
ONE_VISIT_FOR_A_TICKET = "appointment_one_for_a_ticket"


def _range(function: str, *expressions: Any, output_field: "models.Field[Any, Any]") -> Func:
    return Func(*expressions, function=function, output_field=output_field)


class Appointment(Resource):
    """A visit, planned or past: https://hl7.org/fhir/R4/appointment.html

    A hold is `pending` and has `hold_expires_at`. Its time is free from that instant on, even if no worker has
    released it yet. `left_at` is when the patient left the page of the hold; such a hold is released early. A request
    is `pending` without `hold_expires_at`: its time is kept until the participants have answered. A suggestion is a
    hold that answers the request `suggested_for` with another time, or an entry of the waiting list with a time that
    came free. `held_by_guest` is a digest of the secret in a guest's session. `participant` holds FHIR's list; the
    columns `patient` and `site` copy from it the two values that are queried most. `has_payment` is True if it has a
    Payment, so that others need not look for one, and `to_rebook` while it has an open Rebooking. `warnings` are
    sentences for staff and software that book or move it now, `cards` those among them that patients read too; they are
    not stored. The visits of a `series` are numbered: this is the `occurrence`, the first is 1, of `occurrences`, as
    they were booked. Those of one coming, for several services or several patients, have a `series` too, but no
    numbers. `referral` is the ticket that the visit uses, which FHIR's `basedOn` in `extra` names too; a ticket gives
    one visit at a time.
    """

    RESOURCE_TYPE = "Appointment"
    PATIENT = "patient"
    DESCRIBES_CLINIC = False
    PLAIN_NAME = gettext_lazy("visits")
    REFERENCE_LISTS = (("participant", "actor"),)

    warnings: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()

    class Status(Choices):
        """https://hl7.org/fhir/R4/valueset-appointmentstatus.html"""

        PROPOSED = "proposed"
        PENDING = "pending"
        BOOKED = "booked"
        ARRIVED = "arrived"
        FULFILLED = "fulfilled", "Done"
        CANCELLED = "cancelled"
        NOSHOW = "noshow", "No-show"
        ENTERED_IN_ERROR = "entered-in-error"
        CHECKED_IN = "checked-in"
        WAITLIST = "waitlist"

    status = models.CharField(max_length=20, choices=Status)
    service = models.ForeignKey(
        "clinic.HealthcareService", models.PROTECT, null=True, blank=True, related_name="appointments"
    )
    patient = models.ForeignKey(
        "clinic.Patient", models.PROTECT, null=True, blank=True, related_name="appointments", db_index=False
    )
    site = models.ForeignKey(
        "clinic.Location", models.PROTECT, null=True, blank=True, related_name="appointments", db_index=False
    )
    start = models.DateTimeField(null=True, blank=True)
    end = models.DateTimeField(null=True, blank=True)
    hold_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    held_by = models.ForeignKey("clinic.User", models.SET_NULL, null=True, blank=True, editable=False)
    held_by_guest = models.CharField(max_length=64, blank=True, editable=False, db_index=True)
    hold_extended = models.BooleanField(default=False, editable=False)
    left_at = models.DateTimeField(null=True, blank=True, editable=False)
    suggested_for = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="suggestions", editable=False, db_index=False
    )
    attendance_confirmed = models.DateTimeField(null=True, blank=True, editable=False)
    has_payment = models.BooleanField(default=False, db_default=False, editable=False)
    to_rebook = models.BooleanField(default=False, db_default=False, editable=False)
    sequence = models.PositiveIntegerField(default=0, editable=False)  # RFC 5545: how often the visit was moved
    created = models.DateTimeField(editable=False)
    requested_start = models.DateTimeField(null=True, blank=True, editable=False)
    requested_end = models.DateTimeField(null=True, blank=True, editable=False)
    series = models.UUIDField(null=True, blank=True, editable=False)
    occurrence = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    occurrences = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    referral = models.ForeignKey(
        "clinic.ServiceRequest",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="visits",
        editable=False,
        db_index=False,
    )
    comment = models.TextField(blank=True)
    cancelation_reason = ExactJSONField(null=True, blank=True, help_text="FHIR CodeableConcept.")
    participant = ExactJSONField(default=list, blank=True)
    identifier = ExactJSONField(default=list, blank=True)

    class Meta:
        ordering = ["start", "pk"]
        indexes = [
            models.Index(fields=["patient", "start"], name="appointment_of_patient"),
            models.Index(fields=["site", "start"], name="appointment_at_site"),
            models.Index(fields=["start"], name="appointment_start"),
            models.Index(
                fields=["hold_expires_at"],
                name="appointment_held",
                condition=Q(hold_expires_at__isnull=False),
            ),
            models.Index(
                fields=["suggested_for"], name="appointment_suggested", condition=Q(suggested_for__isnull=False)
            ),
            models.Index(fields=["service"], name="appointment_waiting", condition=Q(status="waitlist")),
            models.Index(
                fields=["series", "occurrence"],
                name="appointment_of_series",
                condition=Q(series__isnull=False),
            ),
            models.Index(fields=["referral"], name="appointment_by_referral", condition=Q(referral__isnull=False)),
            GinIndex(fields=["participant"], opclasses=["jsonb_path_ops"], name="appointment_participant"),
            GinIndex(fields=["identifier"], opclasses=["jsonb_path_ops"], name="appointment_identifier"),
        ]
        constraints = [
            models.CheckConstraint(
                name="appointment_takes_time",
                condition=Q(start__isnull=True, end__isnull=True) | Q(start__lt=F("end")),
            ),
            models.CheckConstraint(
                name="appointment_has_time",
                condition=Q(start__isnull=False) | Q(status__in=["proposed", "cancelled", "waitlist"]),
            ),
            models.CheckConstraint(
                name="appointment_only_holds_expire",
                condition=Q(hold_expires_at__isnull=True) | Q(status="pending"),
            ),
            models.CheckConstraint(
                name="appointment_numbered_in_series",
                condition=Q(occurrence__isnull=True, occurrences__isnull=True)
                | Q(
                    series__isnull=False,
                    occurrence__isnull=False,
                    occurrence__gte=1,
                    occurrences__isnull=False,
                    occurrences__gte=F("occurrence"),
                ),
            ),
            # A hold uses its ticket until it expires, anything else without end, as Slots take their time.
            ExclusionConstraint(
                name=ONE_VISIT_FOR_A_TICKET,
                expressions=[
                    (
                        _range(
                            "int8range",
                            F("referral"),
                            F("referral"),
                            Value("[]"),
                            output_field=BigIntegerRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        _range("tstzrange", F("created"), F("hold_expires_at"), output_field=DateTimeRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(referral__isnull=False, status__in=USES_TICKET, deleted_at__isnull=True),
                violation_error_message="A visit is booked with this referral already.",
            ),
        ]

    @property
    def is_request(self) -> bool:
        """True if the patient has asked for this time and the clinic has not accepted it yet."""
        return self.status == self.Status.PENDING and self.hold_expires_at is None

    @property
    def is_combined(self) -> bool:
        """True if it belongs to one coming with other visits: for several services, or for several patients."""
        return self.series is not None and self.occurrence is None

    @property
    def is_suggestion(self) -> bool:
        """True if it is, or was, a time that was held in answer to a request or to an entry of the waiting list."""
        return self.suggested_for_id is not None

    @property
    def is_waiting(self) -> bool:
        """True for an entry of the waiting list."""
        return self.status == self.Status.WAITLIST

    def set_prefetched_slots(self, slots: "list[Slot]") -> None:
        """Set the Slots of this appointment, in their order, as if Django had prefetched them."""
        self._prefetched_objects_cache: dict[str, Any] = {}
        self.set_prefetched("slots", slots)

    def set_prefetched(self, name: str, rows: Sequence[models.Model]) -> None:
        """Set the rows of a reverse relation, in their order, as if Django had prefetched them."""
        query: Any = getattr(self, name).all()
        query._result_cache = list(rows)
        self._prefetched_objects_cache = {**getattr(self, "_prefetched_objects_cache", {}), name: query}

    def __str__(self) -> str:
        """The kind of visit, and its time in the zone of its site."""
        if self.start is None or self.end is None:
            return self.fhir_id
        return f"{self.service or gettext('Visit')}, {time_range_text(self.start, self.end, self.site)}"


class AppointmentPatient(models.Model):
    """One of several patients of a visit, besides its column `patient`.

    The database keeps these rows in step with the participants of the visit, so that access to the visit and the search
    for a patient's visits need not read its JSON. A patient who `has_left` has declined; the visit stays for the rest.
    """

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="other_patients")
    patient = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="visits_with_others")
    has_left = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["appointment", "patient"], name="appointment_patient_once")]

    def __str__(self) -> str:
        return f"{self.patient}, {self.appointment}"


def time_range_text(start: datetime, end: datetime, site: "Location | None") -> str:
    """Return the day and the time range in the zone of the site, or the clinic's zone if the site has none."""
    zone = ZoneInfo(site.timezone) if site is not None and site.timezone else clinic_zone()
    return time_text.when(in_zone(start, zone), in_zone(end, zone), zone, year=True)


OCCUPYING = ("busy", "busy-tentative", "busy-unavailable")
OCCUPIES_TIME = Q(status__in=OCCUPYING, deleted_at__isnull=True)
SOLD_TIME = OCCUPIES_TIME & Q(lies_under=False)


class Slot(Resource):
    """Taken time of one actor, or extra free time outside the weekly hours: https://hl7.org/fhir/R4/slot.html

    Other free time has no row: scheduling.availability computes it from the hours. `seat` is the number of the seat
    that a group visit takes; NULL takes all of them from 0 on. A negative seat is an extra one, which an overbooked
    visit takes beside them. A row counts from `blocks_from`, by the database's clock, until `hold_expires_at`, so an
    expired hold blocks nobody.

    `lies_under` marks blocked time that was added over visits which stay booked. Such a row closes its time for new
    visits, but the exclusion constraint ignores it. `was_free` marks a Slot that was stored as free before its time was
    taken: when the visit lets go of it, it is free again instead of deleted.
    """

    RESOURCE_TYPE = "Slot"
    PATIENT = "appointment__patient"
    DESCRIBES_CLINIC = False
    NAMES_PATIENT = False
    PLAIN_NAME = gettext_lazy("times of visits")

    class Status(Choices):
        """https://hl7.org/fhir/R4/valueset-slotstatus.html"""

        BUSY = "busy"
        FREE = "free"
        BUSY_UNAVAILABLE = "busy-unavailable"
        BUSY_TENTATIVE = "busy-tentative"
        ENTERED_IN_ERROR = "entered-in-error"

    # One foreign key of the database checks the pair (schedule, bookable): see the first migration.
    schedule = models.ForeignKey(
        "clinic.Schedule", models.PROTECT, related_name="slots", db_constraint=False, db_index=False
    )
    bookable = models.ForeignKey(
        "clinic.Bookable", models.PROTECT, related_name="slots", db_constraint=False, db_index=False
    )
    appointment = models.ForeignKey("clinic.Appointment", models.PROTECT, null=True, blank=True, related_name="slots")
    status = models.CharField(max_length=20, choices=Status)
    start = models.DateTimeField()
    end = models.DateTimeField()
    seat = models.IntegerField(null=True, blank=True, editable=False)
    blocks_from = models.DateTimeField(db_default=Now(), editable=False)
    hold_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    lies_under = models.BooleanField(default=False, editable=False)
    was_free = models.BooleanField(default=False, db_default=False, editable=False)
    comment = models.CharField(max_length=500, blank=True)
    service_type = ExactJSONField(default=list, blank=True)
    identifier = ExactJSONField(default=list, blank=True)

    class Meta:
        ordering = ["start", "pk"]
        indexes = [
            models.Index(
                fields=["bookable", "end", "start"],
                name="slot_taken",
                condition=OCCUPIES_TIME,
                include=["seat", "hold_expires_at"],
            ),
            models.Index(
                fields=["schedule", "end", "start"],
                name="slot_free",
                condition=Q(status="free", deleted_at__isnull=True),
            ),
            # By time alone: it holds a few rows at most, and a search of many schedules looks into it once.
            models.Index(
                fields=["end"],
                name="slot_held_once_free",
                condition=Q(was_free=True, hold_expires_at__isnull=False, deleted_at__isnull=True),
            ),
            models.Index(fields=["schedule", "start"], name="slot_of_schedule"),
        ]
        constraints = [
            models.CheckConstraint(name="slot_takes_time", condition=Q(start__lt=F("end"))),
            models.CheckConstraint(
                name="slot_of_a_visit_lies_under_none",
                condition=Q(lies_under=False) | Q(status="busy-unavailable", appointment__isnull=True),
            ),
            models.CheckConstraint(
                name="slot_only_holds_expire",
                condition=Q(hold_expires_at__isnull=True)
                | Q(status__in=["busy-tentative", "busy-unavailable"], appointment__isnull=False),
            ),
            ExclusionConstraint(
                name="slot_never_sold_twice",
                expressions=[
                    (
                        _range(
                            "int8range",
                            F("bookable"),
                            F("bookable"),
                            Value("[]"),
                            output_field=BigIntegerRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        _range(
                            "int4range",
                            Coalesce(F("seat"), Value(0)),
                            F("seat") + Value(1),
                            output_field=IntegerRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        _range("tstzrange", F("start"), F("end"), output_field=DateTimeRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        _range(
                            "tstzrange",
                            F("blocks_from"),
                            F("hold_expires_at"),
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=SOLD_TIME,
                violation_error_message="That time is taken.",
            ),
        ]

    def __str__(self) -> str:
        when = time_range_text(self.start, self.end, self.schedule.site)
        return f"{self.schedule}: {self.get_status_display().lower()}, {when}"

    @property
    def is_extra(self) -> bool:
        """True if the visit was booked at a time that was taken, beside the seats of others."""
        return self.seat is not None and self.seat < 0
