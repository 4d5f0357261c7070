"""The model DuplicatePair: two patients' records that may be of one person."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from clinic.labels import Choices


class DuplicatePair(models.Model):
    """Two records that the worker has found to be alike, with a score up to 100.

    A pair that staff have `rejected` is two people, and is never shown again.
    """

    class Reason(Choices):
        NAME = "name", "Similar name"
        BIRTH_DATE = "birth-date", "Same date of birth"
        CONTACT = "contact", "Same phone number or email address"
        IDENTIFIER = "identifier", "Same record number"

    first = models.ForeignKey("clinic.Patient", models.CASCADE, related_name="+", db_index=False)
    second = models.ForeignKey("clinic.Patient", models.CASCADE, related_name="+")
    score = models.PositiveSmallIntegerField()
    reasons = ArrayField(models.CharField(max_length=20, choices=Reason))
    found = models.DateTimeField()
    rejected = models.DateTimeField(null=True, blank=True)
    rejected_by = models.ForeignKey("clinic.User", models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-score", "pk"]
        indexes = [models.Index(fields=["-score"], name="duplicate_pair_open", condition=Q(rejected=None))]
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="duplicate_pair_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="duplicate_pair_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.first}, {self.second}"

    @property
    def reason_texts(self) -> list[str]:
        """The reasons in words."""
        return [str(reason.label) for reason in self.Reason if reason in self.reasons]
