"""The model PatientMerge: merges of patients' records, kept so that they can be undone."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext


class PatientMerge(models.Model):
    """The merge of one patient's record, the source, into another one, the target.

    `moved` has the primary keys of the rows that referred to the source before, by model; `accounts` has the accounts
    of carers that were taken from a row, by the row's key. `account` is the source's own account, if it moved. The
    versions are those of both records before the merge and those that it wrote.
    """

    source = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="merges")
    target = models.ForeignKey("clinic.Patient", models.PROTECT, related_name="merges_into")
    merged_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)
    source_before = models.PositiveIntegerField()
    source_after = models.PositiveIntegerField()
    target_before = models.PositiveIntegerField()
    target_after = models.PositiveIntegerField()
    account = models.ForeignKey("clinic.User", models.SET_NULL, null=True, blank=True, related_name="+")
    moved = models.JSONField(default=dict)
    accounts = models.JSONField(default=dict)

    class Meta:
        ordering = ["-merged_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["source"], name="patient_merged_once", condition=Q(undone_at__isnull=True))
        ]

    def __str__(self) -> str:
        return gettext("Merged into %(name)s") % {"name": self.target}
