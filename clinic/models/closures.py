"""The model Closure: times in which nothing is booked, for all services at once."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language

YEAR = timedelta(days=365)
ACTORS = ("practitioner", "location", "device")


class Closure(models.Model):
    """A time in which nothing is booked with a person, at a site, in a room, with a device, or in the whole clinic.

    It begins on the day `first`, at `starts` if set, and ends on the day `last`, at `ends` if set, by the clock of each
    calendar; if `yearly`, every year from then on. A holiday is known by its `country`, its `region` and its English
    name, `holiday`; `names` has the name in the languages of the pages. A closure that was removed is kept, for undo
    and so that a holiday is not added again.
    """

    practitioner = models.ForeignKey(
        "clinic.Practitioner", models.CASCADE, null=True, blank=True, related_name="closures"
    )
    location = models.ForeignKey("clinic.Location", models.CASCADE, null=True, blank=True, related_name="closures")
    device = models.ForeignKey("clinic.Device", models.CASCADE, null=True, blank=True, related_name="closures")
    first = models.DateField()
    starts = models.TimeField(null=True, blank=True)
    last = models.DateField()
    ends = models.TimeField(null=True, blank=True)
    yearly = models.BooleanField(default=False, db_default=False)
    reason = models.CharField(max_length=200, blank=True, default="", db_default="")
    is_public = models.BooleanField("patients read the reason", default=False, db_default=False)
    country = models.CharField(max_length=2, blank=True, default="", db_default="", editable=False)
    region = models.CharField(max_length=50, blank=True, default="", db_default="", editable=False)
    holiday = models.CharField(max_length=200, blank=True, default="", db_default="", editable=False)
    names = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    by_rule = models.BooleanField(default=False, db_default=False, editable=False)
    removed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["first", "starts", "pk"]
        constraints = [
            models.CheckConstraint(
                name="closure_of_one_actor",
                condition=Q(practitioner=None, location=None)
                | Q(practitioner=None, device=None)
                | Q(location=None, device=None),
            ),
            models.CheckConstraint(
                name="closure_ends_after_start",
                condition=Q(first__lt=F("last"))
                | Q(first=F("last"), starts=None)
                | Q(first=F("last"), ends=None)
                | Q(first=F("last"), starts__lt=F("ends")),
            ),
            models.CheckConstraint(
                name="closure_yearly_within_a_year", condition=Q(yearly=False) | Q(last__lt=F("first") + YEAR)
            ),
            models.UniqueConstraint(
                fields=["location", "practitioner", "device", "country", "region", "holiday", "first"],
                name="closure_holiday_once",
                condition=~Q(holiday=""),
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor or 'Clinic'}, {self.first}"

    @property
    def actor(self) -> Any:
        """The Practitioner, Location or Device that is closed; None for the whole clinic."""
        return self.practitioner or self.location or self.device

    @property
    def name(self) -> str:
        """The name of the holiday in the reader's language, or the reason."""
        return str(self.names.get(get_language() or "", self.reason))

    @property
    def start(self) -> datetime:
        """The beginning on the wall clock, the first time if it is yearly."""
        return datetime.combine(self.first, self.starts or time.min)

    @property
    def end(self) -> datetime:
        """The end on the wall clock, the first time if it is yearly."""
        if self.ends is None and self.last < date.max:
            return datetime.combine(self.last + timedelta(days=1), time.min)
        return datetime.combine(self.last, self.ends or time.max)
