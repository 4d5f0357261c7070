"""The models of the reports' figures: counts for each day, which a worker computes from the visits and messages.

They can be computed again at any time: see scheduling.reports.figures.
"""

from typing import Any

from django.db import models

from clinic.message_kinds import Event, Medium


def _count() -> Any:
    return models.PositiveIntegerField(default=0, db_default=0)


class CountedDay(models.Model):
    """A local day of the sites whose figures are there, and when they were computed."""

    day = models.DateField(primary_key=True)
    computed = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["day"]

    def __str__(self) -> str:
        return str(self.day)


class VisitFigures(models.Model):
    """The visits of a day of one service at one site with one practitioner, by the day in the zone of the site.

    `visits` were to take place, `done` and `missed` among them; `cancelled` were booked once, `late` among them: after
    the last moment at which a patient may cancel, and not by the clinic. `confirmed` are those whose patient said that
    they come. `freed` were cancelled or moved while somebody waited, and `filled` among them by the waiting list.
    `ahead` is the number of visits whose booking is known, `ahead_minutes` how long before they were booked, in all.
    """

    day = models.DateField()
    site = models.ForeignKey("clinic.Location", models.CASCADE, null=True, related_name="+", db_index=False)
    service = models.ForeignKey("clinic.HealthcareService", models.CASCADE, null=True, related_name="+", db_index=False)
    practitioner = models.ForeignKey("clinic.Practitioner", models.CASCADE, null=True, related_name="+", db_index=False)
    visits = _count()
    done = _count()
    missed = _count()
    cancelled = _count()
    late = _count()
    confirmed = _count()
    ahead = _count()
    ahead_minutes = models.BigIntegerField(default=0, db_default=0)
    freed = _count()
    filled = _count()

    class Meta:
        ordering = ["day", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "site", "service", "practitioner"], name="visit_figures_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.visits}"


class TimeFigures(models.Model):
    """The open time of a schedule on a day, and the time of it that visits took, in minutes.

    The open time is that of the day when it was counted: later changes of the hours do not change it.
    """

    day = models.DateField()
    schedule = models.ForeignKey("clinic.Schedule", models.CASCADE, related_name="+", db_index=False)
    open_minutes = _count()
    used_minutes = _count()

    class Meta:
        ordering = ["day", "pk"]
        constraints = [models.UniqueConstraint(fields=["day", "schedule"], name="time_figures_once")]

    def __str__(self) -> str:
        return f"{self.day}: {self.used_minutes}/{self.open_minutes}"


class MessageFigures(models.Model):
    """The messages of a day about visits at one site: `sent`, and `failed` when they should have been sent."""

    day = models.DateField()
    site = models.ForeignKey("clinic.Location", models.CASCADE, null=True, related_name="+", db_index=False)
    medium = models.CharField(max_length=10, choices=Medium)
    event = models.CharField(max_length=20, choices=Event)
    sent = _count()
    failed = _count()

    class Meta:
        ordering = ["day", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "site", "medium", "event"], name="message_figures_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.sent}"
