"""The model Delay: somebody who runs late on a day."""

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

LEAST, MOST = 5, 8 * 60  # minutes


class Delay(models.Model):
    """An actor, as a rule a practitioner, who runs late on a day, as staff have said last.

    At `since` they were `minutes` late; once it has `ended` they are on time. `revision` counts what was said: patients
    are told of each once. `former` are the minutes that it replaced, which an undo puts back.
    """

    bookable = models.ForeignKey("clinic.Bookable", models.CASCADE, related_name="delays", db_index=False)
    day = models.DateField()
    minutes = models.PositiveSmallIntegerField(validators=[MinValueValidator(LEAST), MaxValueValidator(MOST)])
    former = models.PositiveSmallIntegerField(null=True, editable=False)
    since = models.DateTimeField()
    revision = models.PositiveIntegerField(default=1)
    ended = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["day", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["day", "bookable"], name="delay_once_a_day"),
            models.CheckConstraint(name="delay_in_bounds", condition=Q(minutes__range=(LEAST, MOST))),
        ]

    def __str__(self) -> str:
        return f"{self.bookable}, {self.day}"

    @property
    def late(self) -> timedelta:
        return timedelta(minutes=self.minutes)
