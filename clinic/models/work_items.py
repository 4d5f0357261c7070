"""The model WorkItem: the member of staff who deals with an item of the worklist, and until when it is put off."""

from django.db import models

from clinic.labels import Choices


class WorkItem(models.Model):
    """The owner of an item of the worklist, and the day until which it is put off.

    An item is derived from another row and is gone when that row no longer calls for anything: `kind` says from which
    table, `row` is the primary key there. Items that nobody has taken or put off have no WorkItem. `version` counts
    the changes.
    """

    class Kind(Choices):
        REQUEST = "request", "Request to answer"
        TEXT = "text", "Text to read"
        CHANGE = "change", "Change of name or date of birth"
        REBOOK = "rebook", "Visit to rebook"
        UNCONFIRMED = "unconfirmed", "Visit not confirmed"
        FAILURE = "failure", "Message not sent"
        COVERAGE = "coverage", "Insurance to check"
        FORMS = "forms", "Forms missing"
        PAYMENT = "payment", "Payment refused"
        RECALL = "recall", "Patient to be seen again"
        DUPLICATE = "duplicate", "Possible duplicate"
        ERASURE = "erasure", "Request to delete everything"

    kind = models.CharField(max_length=12, choices=Kind)
    row = models.BigIntegerField()
    owner = models.ForeignKey("clinic.User", models.SET_NULL, null=True, blank=True, related_name="work_items")
    put_off_until = models.DateField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    changed = models.DateTimeField(db_index=True)
    changed_by = models.ForeignKey("clinic.User", models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "row"], name="work_item_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.row}"
