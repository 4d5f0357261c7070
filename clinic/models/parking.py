"""The model ParkedRow: rows that a background task failed on and set aside."""

from django.db import models


class ParkedRow(models.Model):
    """A row that a background task failed on. The task skips it and tries it again at `again`.

    `kind` is the name of the model and `key` the primary key, which is empty if the task failed on a whole table.
    """

    task = models.CharField(max_length=50)
    kind = models.CharField(max_length=50)
    key = models.CharField(max_length=50, blank=True)
    error = models.CharField(max_length=500)
    attempts = models.PositiveIntegerField(default=1)
    since = models.DateTimeField()
    tried = models.DateTimeField()
    again = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-tried"]
        verbose_name = "row set aside by a background task"
        verbose_name_plural = "rows set aside by background tasks"
        constraints = [models.UniqueConstraint(fields=["task", "kind", "key"], name="parked_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}".strip()
